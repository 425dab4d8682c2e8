#include <controller/rollout/host_turn.hpp>

#include <controller/rollout/gated.hpp>
#include <controller/rollout/host_steps.hpp>
#include <controller/rollout/source.hpp>
#include <controller/rollout/suspension.hpp>
#include <controller/rollout/take_back.hpp>
#include <manifests/error.hpp>

#include <algorithm>

namespace holdfast {

namespace {

/// "waiting: …" and "held: …" are choose()'s words.
std::string state_of(const Choice& choice) {
  if (choice.turn == Turn::look) return "suspended";
  return choice.why.starts_with("waiting") ? "waiting" : "held";
}

/// Its commit may be gone from the repository, or refused by now.
std::string checks_at(EnvironmentPoll& poll, const std::string& host, const std::string& commit) {
  try {
    const auto desired = verified_at(poll.job, poll.tools, host, commit);
    if (!desired->problems.empty() || !desired->hosts.contains(host)) return "";
    return checks_text(desired->host(host).lowered.checks);
  } catch (const Error&) {
    return "";
  }
}

/// After our state was lost the hosts' verified commits are the high-water mark: an older or unrelated tip is not
/// followed, now and from the next poll on.
bool may_follow(EnvironmentPoll& poll, const Desired& desired, const std::string& live) {
  const Track& track = desired.environment.track;
  if (live == desired.commit.id || track.allow_rewrites || poll.by_hand) return true;
  {
    const std::scoped_lock lock(poll.tools.git);
    const Mirror& mirror = poll.tools.mirror;
    const bool known = mirror.commit(live).has_value();
    const bool older = known && mirror.is_ancestor(desired.commit.id, live);
    if (known && !older && (track.branch.empty() || mirror.is_ancestor(live, desired.commit.id))) return true;
  }
  EnvironmentRecord record = poll.tools.host.store.environment(poll.job.environment.name).value_or(EnvironmentRecord{});
  record.name = poll.job.environment.name;
  record.accepted = live;
  poll.tools.host.store.put_environment(record);
  return false;
}

struct How {
  bool only_learn = false;
  bool back = false;
};

/// What was found when the host was chosen, or a person's word since then.
std::string suspended_now(const EnvironmentPoll& poll, const Choice& choice) {
  if (choice.turn == Turn::look) return choice.why;
  const HostTools& tools = poll.tools.host;
  const auto one =
      suspension_of(tools.store.suspensions(poll.job.environment.name), choice.host, tools.clock.wall_ms());
  return one ? to_text(*one) : "";
}

/// What belongs to applications that a person took out of our hands stays as it is, also what `desired` no longer has
/// of them.
std::vector<std::string> leave_suspended(EnvironmentPoll& poll, const std::string& host, HostDesired& wanted) {
  Store& store = poll.tools.host.store;
  const std::string& environment = poll.job.environment.name;
  const auto apps = suspended_apps(store.suspensions(environment), host, poll.tools.host.clock.wall_ms());
  if (apps.empty()) return {};
  leave_apps(wanted, apps);
  std::vector<std::string> ids = left_ids(wanted);
  const auto record = store.host(environment, host);
  if (!record || record->live_commit.empty()) return ids;
  const auto live = verified_at(poll.job, poll.tools, host, record->live_commit);
  if (!live->problems.empty() || !live->hosts.contains(host)) return ids;
  HostDesired before = live->host(host);
  leave_apps(before, apps);
  for (std::string& id : left_ids(before)) {
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(std::move(id));
  }
  return ids;
}

HostReport run_one(EnvironmentPoll& poll, const Choice& choice, const Desired& desired, std::int64_t seen_ms,
                   const TurnQuestions& questions, How how = {}) {
  std::optional<Standing> standing;
  if (choice.turn == Turn::enforce || choice.turn == Turn::look || how.back) {
    standing = {state_of(choice), choice.why, poll.desired->commit.id};
  }
  HostDesired wanted = desired.host(choice.host);
  // Whatever it should be, it is where it is now.
  const auto& hosts = poll.desired->environment.hosts;
  if (const auto now = std::ranges::find(hosts, choice.host, &Host::name); now != hosts.end()) wanted.host = *now;
  const std::vector<std::string> leave = leave_suspended(poll, choice.host, wanted);
  const HostJob job{
      .environment = poll.job.environment.name,
      .desired = &wanted,
      .commit = desired.commit,
      .policy = desired.policy,
      .health = desired.environment.health,
      .requested_by = requested_by(poll, choice),
      .rollback = poll.by_hand || how.back,
      .drift = poll.job.repair ? DriftPolicy{} : poll.job.environment.drift,
      .allow_prune = poll.job.allow_prune || how.back,  // what it brought goes, however much that is
      .standing = standing,
      .seen_ms = seen_ms,
      .may_begin = questions.may_begin,
      .superseded = questions.superseded,
      .goes_back = how.back,
      .patience_ms = poll.job.patience_ms,
      .leave = leave,
      .suspended = [&] { return suspended_now(poll, choice); },
      .only_learn = how.only_learn,
      .may_follow = [&](const std::string& live) { return standing.has_value() || may_follow(poll, desired, live); },
      .checks_at = [&](const std::string& commit) { return checks_at(poll, choice.host, commit); }};
  return run_host(job, poll.tools.host);
}

void mark(EnvironmentPoll& poll, const Choice& choice) {
  Store& store = poll.tools.host.store;
  HostRecord record = store.host(poll.job.environment.name, choice.host).value_or(HostRecord{});
  if (record.state == "unreachable" || record.state == "rollback_failed" || record.state == "unknown") return;
  const HostRecord before = record;
  const std::string state = state_of(choice);
  if (record.state != state) record.changed_ms = poll.tools.host.clock.wall_ms();
  record.environment = poll.job.environment.name;
  record.host = choice.host;
  record.state = state;
  record.detail = choice.why;
  record.desired_commit = poll.desired->commit.id;
  if (record != before) store.put_host(record);
}

/// To what was verified before it took the held one. It is told as what it is for people: rolled back.
HostTurn go_back(EnvironmentPoll& poll, const Choice& choice, std::int64_t seen_ms, const TurnQuestions& questions) {
  const auto before = verified_at(poll.job, poll.tools, choice.host, choice.back_to);
  if (!before->problems.empty() || !before->hosts.contains(choice.host)) {
    const std::string why = choice.why + "; it can't go back: " + choice.back_to.substr(0, 12) + " is refused now";
    mark(poll, {choice.host, Turn::leave, why, ""});
    return {.report = {.host = choice.host, .result = HostResult::held, .detail = why},
            .outcome = HostResult::held,
            .asked = false};
  }
  HostTurn turn{.report = run_one(poll, choice, *before, seen_ms, {{}, questions.superseded}, {.back = true})};
  turn.outcome = turn.report.result;
  const bool is_back = turn.outcome == HostResult::deployed || turn.outcome == HostResult::degraded ||
                       turn.outcome == HostResult::unchanged || turn.outcome == HostResult::repaired;
  if (!is_back) return turn;
  turn.report.result = HostResult::rolled_back;
  Store& store = poll.tools.host.store;
  const std::string& environment = poll.job.environment.name;
  const HostView view{.host = choice.host, .record = store.host(environment, choice.host).value_or(HostRecord{})};
  end_taken_back(store, {view}, store.holds(environment), poll.tools.host.clock.wall_ms());
  return turn;
}

/// Nothing is known of the host: it may have a verified state that our lost one knew.
bool is_unknown(EnvironmentPoll& poll, const std::string& host) {
  const auto record = poll.tools.host.store.host(poll.job.environment.name, host);
  return !record || (record->live_bundle.empty() && record->epoch == 0);
}

/// Something was begun there that has no end in the history yet. A host whose undo failed is left to a person, whole.
bool has_open_end(EnvironmentPoll& poll, const std::string& host) {
  Store& store = poll.tools.host.store;
  const std::string& environment = poll.job.environment.name;
  const auto record = store.host(environment, host);
  return record && record->state != "rollback_failed" && !store.unsettled(environment, host, 1).empty();
}

/// What a suspended host is looked at for: the state that it has, or the one that it was found on the way to.
std::shared_ptr<const Desired> looked_for(EnvironmentPoll& poll, const std::string& host) {
  Store& store = poll.tools.host.store;
  const std::string& environment = poll.job.environment.name;
  const std::string& newest = poll.desired->commit.id;
  const std::string live = store.host(environment, host).value_or(HostRecord{}).live_commit;
  const auto begun = store.unsettled(environment, host);
  const bool underway = std::ranges::any_of(begun, [&](const Deployment& one) { return one.commit == newest; });
  if (underway || live == newest) return poll.desired;
  if (live.empty()) return nullptr;
  auto desired = verified_at(poll.job, poll.tools, host, live);
  return desired->problems.empty() && desired->hosts.contains(host) ? desired : nullptr;
}

HostTurn look_at_suspended(EnvironmentPoll& poll, const Choice& choice, std::int64_t seen_ms) {
  if (const auto desired = looked_for(poll, choice.host)) {
    const HostReport report = run_one(poll, choice, *desired, seen_ms, {});
    return {report, report.result};
  }
  const HostReport learned = run_one(poll, choice, *poll.desired, seen_ms, {}, {.only_learn = true});
  mark(poll, choice);
  return {{.host = choice.host, .result = HostResult::suspended, .detail = choice.why}, learned.result};
}

HostTurn take(EnvironmentPoll& poll, const Choice& choice, std::int64_t seen_ms, const TurnQuestions& questions) {
  if (choice.turn == Turn::steady || choice.turn == Turn::advance) {
    TurnQuestions asked = questions;
    asked.may_begin = gated(poll, choice, questions.may_begin);
    const HostReport report = run_one(poll, choice, *poll.desired, seen_ms, asked);
    return {report, report.result};
  }
  if (choice.turn == Turn::look) return look_at_suspended(poll, choice, seen_ms);
  const HostResult kept = state_of(choice) == "waiting" ? HostResult::waiting : HostResult::held;
  HostTurn turn{.report = {.host = choice.host, .result = kept, .detail = choice.why}, .outcome = kept, .asked = false};
  if (choice.turn == Turn::enforce) {
    // The new desired state is held or waits; the last verified one stays in force, drift in it is repaired.
    const auto record = poll.tools.host.store.host(poll.job.environment.name, choice.host);
    const auto good =
        verified_at(poll.job, poll.tools, choice.host, record.value_or(HostRecord{}).live_commit);
    if (good->problems.empty() && good->hosts.contains(choice.host)) {
      turn.outcome = run_one(poll, choice, *good, seen_ms, {{}, questions.superseded}).result;
      turn.asked = true;
      return turn;
    }
  }
  if (choice.turn == Turn::back) return go_back(poll, choice, seen_ms, questions);
  if (choice.turn == Turn::leave && (is_unknown(poll, choice.host) || has_open_end(poll, choice.host))) {
    const HostReport learned = run_one(poll, choice, *poll.desired, seen_ms, {}, {.only_learn = true});
    turn.outcome = learned.result;
    turn.asked = true;
    if (learned.result == HostResult::observing) {
      turn.report = learned;  // that it is another's says more than that the commit waits, and stays told once
      return turn;
    }
  }
  mark(poll, choice);
  return turn;
}

}  // namespace

HostTurn take_host_turn(EnvironmentPoll& poll, const Choice& choice, std::int64_t seen_ms,
                        const TurnQuestions& questions) {
  const Choice now = at_own_gates(poll, choice);
  HostTurn turn = take(poll, now, seen_ms, questions);
  const bool away = turn.outcome == HostResult::unreachable || turn.outcome == HostResult::unknown ||
                    turn.outcome == HostResult::busy;
  // At a gate of its own: neither a proof of the commit nor a failure, and not tried again before the next poll.
  if (now.turn != choice.turn && !away) turn.outcome = HostResult::disturbed;
  return turn;
}

Choice wait_for_fix(Store& store, const std::string& environment, const std::string& host) {
  const auto record = store.host(environment, host);
  return {host, record && !record->live_bundle.empty() ? Turn::enforce : Turn::leave,
          "waiting: this commit failed on another host", ""};
}

}  // namespace holdfast
