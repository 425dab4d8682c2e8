#include <controller/revert/revert_desk.hpp>

#include <controller/git/revert.hpp>
#include <controller/revert/revert_message.hpp>
#include <controller/rollout/root_branch.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/failpoint.hpp>

#include <algorithm>
#include <map>

namespace holdfast {

namespace {

constexpr std::int64_t look_every_ms = 2'000;
constexpr std::int64_t settle_ms = 2'000;  // the last events are on the disk by then
constexpr std::int64_t push_s = 60;
constexpr std::int64_t first_pause_ms = 5'000;
constexpr std::int64_t longest_pause_ms = 600'000;
constexpr std::size_t branch_digits = 12;
constexpr std::size_t most_others = 100;

std::string note_name(const std::string& commit) { return "revert " + commit; }

bool is_final(const RevertRecord& record) { return record.state != "waiting"; }

/// A desired state that was new to the host, and that people pushed: the end of a repair or of a person's rollback says
/// nothing of the newest commit.
bool asks_for_revert(const Deployment& one) {
  return one.cause == "commit" && !one.from_commit.empty() && one.from_commit != one.commit &&
         (one.outcome == Outcome::rolled_back || one.outcome == Outcome::rollback_failed);
}

/// The commits between the verified one and the bad one, on the line of first parents.
std::vector<Commit> came_with(const Mirror& mirror, const Deployment& failed) {
  std::vector<Commit> others;
  auto one = mirror.commit(failed.commit);
  while (one && !one->parents.empty() && others.size() < most_others) {
    one = mirror.commit(one->parents.front());
    if (!one || one->id == failed.from_commit || mirror.is_ancestor(one->id, failed.from_commit)) break;
    others.push_back(*one);
  }
  return others;
}

}  // namespace

std::optional<RevertRecord> revert_record(Store& store, const std::string& commit) {
  const auto text = store.note(note_name(commit));
  if (!text) return std::nullopt;
  const Value value = from_json(*text);
  return RevertRecord{.state = value.text_or("state", ""),
                      .branch = value.text_or("branch", ""),
                      .detail = value.text_or("detail", ""),
                      .at_ms = value.int_or("at_ms", 0)};
}

RevertDesk::RevertDesk(const ControllerSettings& settings, Store& store, const Clock& clock, OnProgress on_progress)
    : settings_(settings), store_(store), clock_(clock), on_progress_(std::move(on_progress)) {}

std::int64_t RevertDesk::turn() {
  std::map<std::string, std::vector<Hold>> holds;
  for (const EnvironmentRecord& one : store_.environments()) {
    for (Hold& hold : store_.holds(one.name)) {
      if (!settled_.contains(hold.commit)) holds[one.name].push_back(std::move(hold));
    }
  }
  const auto root = root_record(store_);
  if (holds.empty() || !root || root->policy.empty()) return look_every_ms;
  if (!mirror_) mirror_ = open_mirror(settings_);
  if (!mirror_->commit(root->policy)) return look_every_ms;  // made anew, and not fetched yet
  away_ = false;
  for (const Environment& environment : read_policy_at(*mirror_, root->policy, settings_).environments) {
    if (!environment.revert) continue;
    for (const Hold& hold : holds[environment.name]) {
      if (!away_ && !settled_.contains(hold.commit)) consider(environment, hold);
    }
  }
  pause_ms_ = away_ ? std::clamp(pause_ms_ * 2, first_pause_ms, longest_pause_ms) : 0;
  return away_ ? pause_ms_ : look_every_ms;
}

void RevertDesk::consider(const Environment& environment, const Hold& hold) {
  const auto known = revert_record(store_, hold.commit);
  if (known && is_final(*known)) {
    settled_.insert(hold.commit);
    return;
  }
  const auto failed = store_.deployment(hold.deployment);
  if (!failed || failed->commit != hold.commit || !asks_for_revert(*failed)) return;
  if (clock_.wall_ms() - failed->ended_ms < settle_ms) return;
  RevertRecord record = make(environment, *failed,
                             {.state = "waiting",
                              .branch = "holdfast/revert-" + hold.commit.substr(0, branch_digits),
                              .at_ms = clock_.wall_ms()});
  if (is_final(record)) settled_.insert(hold.commit);
  if (known && known->state == record.state && known->detail == record.detail) return;
  remember(*failed, record);
  if (!known || known->state != record.state) tell(*failed, record);
}

RevertRecord RevertDesk::make(const Environment& environment, const Deployment& failed, RevertRecord record) {
  const auto ended = [&](const std::string& state, const std::string& detail) {
    record.state = state;
    record.detail = detail;
    return record;
  };
  const std::string branch = environment.track.branch.empty() ? settings_.branch : environment.track.branch;
  if (mirror_->branch(record.branch)) return ended("there", "a branch of that name is there already");
  const auto bad = mirror_->commit(failed.commit);
  const auto head = mirror_->branch(branch);
  if (!bad || !head || !mirror_->is_ancestor(failed.commit, *head)) {
    return ended("impossible", "branch " + branch + " does not have the commit");
  }
  const RevertCase what{
      .bad = *bad, .deployment = failed, .events = store_.events(failed.id), .others = came_with(*mirror_, failed)};
  const RevertWritten written = write_revert(*mirror_, failed.commit, *head, revert_message(what),
                                             {"holdfast", "holdfast@localhost", failed.ended_ms / 1000});
  if (written.id.empty()) return ended("impossible", written.problem);
  HOLDFAST_FAILPOINT("revert.written");
  try {
    const Pushed pushed = push(*mirror_, {{written.id, "refs/heads/" + record.branch, true}},
                               std::chrono::steady_clock::now() + std::chrono::seconds(push_s));
    HOLDFAST_FAILPOINT("revert.pushed");
    if (pushed.rejected.empty()) return ended("pushed", "");
    if (pushed.rejected.front().reason.find("is there already") != std::string::npos) {
      return ended("there", pushed.rejected.front().reason);
    }
    away_ = true;  // a rule of the remote, or somebody else's lock: both may be gone the next time
    return ended("waiting", pushed.rejected.front().reason);
  } catch (const Error& error) {
    away_ = true;
    return ended("waiting", error.what());
  }
}

void RevertDesk::remember(const Deployment& failed, const RevertRecord& record) {
  store_.put_note(
      note_name(failed.commit),
      to_json(
          Map{{"state", record.state}, {"branch", record.branch}, {"detail", record.detail}, {"at_ms", record.at_ms}}));
}

/// Once for each state, so that a remote that takes nothing from us is one line of the log.
void RevertDesk::tell(const Deployment& failed, const RevertRecord& record) {
  const std::string brief = failed.commit.substr(0, branch_digits);
  std::string text = "branch " + record.branch + " reverts " + brief + ": merge it to go on without it";
  Progress::Level level = Progress::Level::good;
  if (record.state == "there") {
    text = "branch " + record.branch + " is there already, and is left as it is";
    level = Progress::Level::detail;
  } else if (record.state == "waiting") {
    text = "branch " + record.branch + " with the revert of " + brief + " waits for the remote: " + record.detail;
    level = Progress::Level::warning;
  } else if (record.state == "impossible") {
    text = "no branch with the revert of " + brief + ": " + record.detail;
    level = Progress::Level::warning;
  }
  store_.add_event(failed.id, clock_.wall_ms(), text);
  on_progress_({level, failed.environment, failed.host, text});
}

}  // namespace holdfast
