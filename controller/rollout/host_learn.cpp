// A host that our state does not know, or that another controller had meanwhile: what it has been through is read from
// its own records. Nothing is done to it here.
#include <controller/rollout/host_steps.hpp>

#include <controller/plan/times.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>
#include <reconcilers/failpoint.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::int64_t request_ms = 60'000;

struct Past {
  Deployment deployment{};  // as the history will have it
  std::string bundle{};
  std::int64_t epoch = 0;
  bool blamed = false;   // it was rolled back, and for a fault of its own
  bool cut_off = false;  // nothing failed; what it was for may be verified all the same
};

Outcome outcome_of(const std::string& state) {
  if (state == "confirmed") return Outcome::deployed;
  if (state == "rolled_back") return Outcome::rolled_back;
  if (state == "rollback_failed") return Outcome::rollback_failed;
  return state == "refused" ? Outcome::refused : Outcome::unknown;  // unknown: it is open, and settled next
}

Past past_from(const Value& told) {
  Past past;
  Deployment& d = past.deployment;
  d.transaction = told.at("transaction").as_text();
  d.commit = told.at("commit").as_text();
  d.outcome = outcome_of(told.at("state").as_text());
  d.cause = "rebuilt";
  d.requested_by = "the host's journal";
  d.begun_ms = ms_of_utc(told.at("begun_at").as_text());
  past.bundle = told.at("bundle_digest").as_text();
  past.epoch = told.int_or("epoch", 0);
  bool changed = false;
  if (const Value* failure = told.find("failure"); failure != nullptr && failure->is_map()) {
    const std::string id = failure->text_or("id", "");
    d.reason = printable((id.empty() ? "" : id + ": ") + failure->text_or("what", ""));
    changed = failure->bool_or("changed", false);
    past.cut_off = failure->bool_or("cut_off", false);
  }
  const bool undone = d.outcome == Outcome::rolled_back || d.outcome == Outcome::rollback_failed;
  past.blamed = undone && !changed && d.reason != set_aside_reason;
  return past;
}

/// The oldest first: epochs rise with every transaction.
std::vector<Past> pasts_from(const Value& status) {
  std::vector<Past> pasts;
  for (const Value& told : status.at("transactions").as_list()) pasts.push_back(past_from(told));
  std::ranges::stable_sort(pasts, {}, &Past::epoch);
  return pasts;
}

}  // namespace

/// A report where what is wanted turns out to be held, or older than what the host has.
std::optional<HostReport> HostSteps::learn() {
  if (!plan_ || plan_->epoch <= record_.epoch) return std::nullopt;
  const Value status = (*session_)->status(in(request_ms));
  const std::set<std::string> known = tools_.store.transactions(record_.host);
  const Value* generation = status.find("generation");
  const std::string verified = generation == nullptr ? "" : generation->at("transaction").as_text();
  const bool news = !verified.empty() && (!known.contains(verified) || record_.live_bundle.empty());
  int rows = 0;
  bool after_verified = verified.empty();
  for (const Past& past : pasts_from(status)) {
    const bool repairs =
        past.cut_off && generation != nullptr && past.bundle == generation->text_or("bundle_digest", "");
    const bool holds = after_verified && past.blamed && !repairs;
    after_verified = after_verified || past.deployment.transaction == verified;
    if (known.contains(past.deployment.transaction)) continue;
    learn_past(past.deployment, holds ? past.bundle : "");
    ++rows;
  }
  if (news) {
    record_.live_commit = generation->at("commit").as_text();
    record_.live_bundle = generation->at("bundle_digest").as_text();
    record_.live_checks = job_.checks_at ? job_.checks_at(record_.live_commit) : "";
  }
  record_.epoch = plan_->epoch;
  if (rows != 0 || news) {
    tell(Progress::Level::warning, "learned from the host's own records: " + std::to_string(rows) + " deployments" +
                                       (news ? ", live at " + record_.live_commit.substr(0, 12) : ""));
  }
  HOLDFAST_FAILPOINT("turn.learned");
  tools_.store.put_host(record_);  // only now: what was cut off before is learned again
  stored_ = record_;
  return news || rows != 0 ? refused_by_past() : std::nullopt;
}

void HostSteps::learn_past(Deployment past, const std::string& held_bundle) {
  past.environment = job_.environment;
  past.host = record_.host;
  const std::int64_t id = tools_.store.begin_deployment(past);
  if (!held_bundle.empty()) {
    tools_.store.put_hold({.environment = job_.environment,
                           .host = record_.host,
                           .bundle = held_bundle,
                           .commit = past.commit,
                           .reason = past.reason,
                           .since_ms = past.begun_ms,
                           .deployment = id});
  }
  if (past.outcome != Outcome::unknown) tools_.store.end_deployment(id, past.outcome, past.reason, past.begun_ms);
}

std::optional<HostReport> HostSteps::refused_by_past() {
  for (const Hold& hold : tools_.store.holds(job_.environment)) {
    if (hold.host != record_.host || hold.bundle != job_.desired->digest) continue;
    return report(HostResult::held, "held", "held: " + hold.reason);
  }
  const bool follows = record_.live_commit.empty() || !job_.may_follow || job_.may_follow(record_.live_commit);
  if (follows) return std::nullopt;
  return report(HostResult::refused, "refused",
                "the host has the later commit " + record_.live_commit.substr(0, 12) + ", from which " +
                    job_.commit.id.substr(0, 12) +
                    " does not descend; to accept it say `track: {rewrites: allow}` on the root branch");
}

HostReport HostSteps::left_alone() {
  return report(HostResult::unchanged, record_.state.empty() ? "new" : record_.state, record_.detail);
}

}  // namespace holdfast
