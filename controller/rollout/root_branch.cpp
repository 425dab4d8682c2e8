#include <controller/rollout/root_branch.hpp>

#include <controller/plan/times.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

namespace holdfast {

namespace {

constexpr int polls_until_stale = 3;
constexpr std::size_t short_id = 12;
constexpr const char* note_name = "root branch";

std::string brief(const std::string& commit) { return commit.substr(0, short_id); }

std::string to_text(const RootRecord& record) {
  return to_json(Map{{"source", record.source},
                     {"policy", record.policy},
                     {"state", record.state},
                     {"detail", record.detail},
                     {"changed_ms", record.changed_ms},
                     {"stale_ms", record.stale_ms},
                     {"stale_detail", record.stale_detail}});
}

}  // namespace

std::optional<RootRecord> root_record(Store& store) {
  const auto text = store.note(note_name);
  if (!text) return std::nullopt;
  const Value value = from_json(*text);
  return RootRecord{.source = value.text_or("source", ""),
                    .policy = value.text_or("policy", ""),
                    .state = value.text_or("state", ""),
                    .detail = value.text_or("detail", ""),
                    .changed_ms = value.int_or("changed_ms", 0),
                    .stale_ms = value.int_or("stale_ms", 0),
                    .stale_detail = value.text_or("stale_detail", "")};
}

std::string stale_text(const RootRecord& record) {
  return "source stale since " + utc_text(record.stale_ms) + ": " + record.stale_detail +
         "; what was accepted last stays in force";
}

RootBranch::RootBranch(const ControllerSettings& settings, Store& store, const Clock& clock)
    : settings_(settings), store_(store), clock_(clock), source_(settings.branch + " of " + settings.repository.url) {
  refresh();
}

/// A command beside the daemon may have accepted something newer meanwhile.
void RootBranch::refresh() {
  record_ = root_record(store_).value_or(RootRecord{});
  if (record_.source != source_) record_ = {.source = source_};
}

const Policy& RootBranch::look(const Mirror& mirror) {
  const auto head = mirror.branch(settings_.branch);
  if (looked_ && head == seen_) return policy_;
  refresh();
  RootRecord now = record_;
  policy_ = judge(mirror, head, now);
  seen_ = head;
  looked_ = true;
  remember(std::move(now));
  return policy_;
}

Policy RootBranch::judge(const Mirror& mirror, const std::optional<std::string>& head, RootRecord& now) const {
  const std::string name = "the root branch " + settings_.branch;
  if (!head) {
    return keep(mirror, now, "lost",
                name + " is not in " + settings_.repository.url +
                    ": push it, or name another with `branch:` in the controller's settings");
  }
  const bool descends = now.policy.empty() || *head == now.policy || settings_.allow_rewrites ||
                        (mirror.commit(now.policy) && mirror.is_ancestor(now.policy, *head));
  if (!descends) {
    return keep(mirror, now, "rewritten",
                name + " was rewritten: " + brief(*head) + " does not descend from " + brief(now.policy) +
                    "; to accept it say `repository: {rewrites: allow}` in the controller's settings");
  }
  Policy found = read_policy_at(mirror, *head, settings_);
  if (found.problems.empty() && found.environments.empty() && !now.policy.empty()) {
    Policy kept = keep(mirror, now, "refused", name + " has no environment any more at " + brief(*head));
    kept.refused_head = *head;
    return kept;
  }
  if (found.problems.empty()) {
    now.policy = *head;
    now.state = "following";
    now.detail.clear();
    return found;
  }
  std::string text = "the environments of " + name + " are refused at " + brief(*head) + ":";
  for (const Problem& problem : found.problems) text += "\n" + render(problem);
  Policy kept = keep(mirror, now, "refused", text);
  kept.problems = std::move(found.problems);
  kept.refused_head = *head;
  return kept;
}

Policy RootBranch::keep(const Mirror& mirror, RootRecord& now, const std::string& state,
                        const std::string& detail) const {
  now.state = state;
  now.detail = detail;
  Policy kept;
  if (!now.policy.empty() && mirror.commit(now.policy)) {
    kept = read_policy_at(mirror, now.policy, settings_);
    now.detail += (detail.find('\n') == std::string::npos ? "; " : "\n") + brief(now.policy) + " stays in force";
  } else if (state == "lost") {
    throw Error(detail);
  }
  kept.refused = now.detail;
  return kept;
}

void RootBranch::answered() {
  failures_ = 0;
  refresh();
  RootRecord now = record_;
  now.stale_ms = 0;
  now.stale_detail.clear();
  remember(std::move(now));
}

void RootBranch::failed(const std::string& why) {
  if (failures_++ == 0) first_failure_ms_ = clock_.wall_ms();
  refresh();
  if (failures_ < polls_until_stale || record_.stale_ms != 0) return;
  RootRecord now = record_;
  now.stale_ms = first_failure_ms_;
  now.stale_detail = why;
  remember(std::move(now));
}

void RootBranch::remember(RootRecord now) {
  if (now.state != record_.state || now.detail != record_.detail) now.changed_ms = clock_.wall_ms();
  if (now == record_) return;
  record_ = std::move(now);
  store_.put_note(note_name, to_text(record_));
}

}  // namespace holdfast
