// The late watch: a host that has a new commit, healthy and confirmed, is looked at again and again for a while, a round
// of checks in each of its turns.
#include <controller/rollout/host_steps.hpp>

#include <controller/plan/times.hpp>
#include <controller/rollout/late_watches.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>
#include <reconcilers/failpoint.hpp>

#include <algorithm>
#include <map>
#include <optional>

namespace holdfast {

namespace {

constexpr std::int64_t longest_round_ms = 15'000;
constexpr std::int64_t load_ms = 10'000;

}  // namespace

/// Written before the deployment ends: who dies between the two begins it again.
void HostSteps::begin_late_watch() {
  if (tools_.late == nullptr || owner_) return;
  const auto ended = tools_.store.deployment(deployment_);
  if (!ended || (ended->cause != "commit" && ended->cause != "rollback")) return;
  const LateWatchPolicy& policy = job_.health.late;
  if (ended->cause == "rollback" || policy.for_ms == 0) {  // what was verified before has had its watch
    tools_.late->end(job_.environment, record_.host);
    return;
  }
  std::map<std::string, std::int64_t> restarts;
  for (const Sample& one : last_round_) {
    if (one.restarts >= 0) restarts[one.check] = one.restarts;
  }
  tell(Progress::Level::detail, "watched for another " + duration_text(policy.for_ms));
  tools_.late->begin({.environment = job_.environment,
                      .host = record_.host,
                      .deployment = deployment_,
                      .commit = ended->commit,
                      .bundle = record_.live_bundle,
                      .back_to = ended->from_commit == ended->commit ? "" : ended->from_commit,
                      .begun_ms = tools_.clock.wall_ms(),
                      .for_ms = policy.for_ms},
                     LateTally(std::move(restarts), already_), policy.every_ms);
}

std::optional<LateRound> HostSteps::late_round(const LateWatchPolicy& policy) {
  LateRound round;
  std::map<std::string, std::int64_t> restarts;  // counted over all rounds by the tally
  const Deadline latest = in(longest_round_ms);
  for (const Check& check : job_.desired->lowered.checks) {
    if (!why_superseded().empty()) return std::nullopt;  // what is wanted now does not wait for this
    round.samples.push_back(sample(check, **session_, restarts, latest));
  }
  if (!policy.cpu && !policy.memory) return round;
  try {
    round.load = host_load(**session_, in(load_ms));
  } catch (const Error& error) {
    if (!(*session_)->alive()) throw;
    tell(Progress::Level::detail, std::string("late watch: ") + error.what());
  }
  return round;
}

HostReport HostSteps::watched_late(const HostReport& report) {
  if (tools_.late == nullptr || job_.goes_back) return report;
  auto watched = tools_.late->take(record_.host);
  if (!watched) return report;
  const LateWatchPolicy& policy = job_.health.late;
  if (policy.for_ms == 0 || watched->watch.bundle != record_.live_bundle) {
    tools_.late->end(job_.environment, record_.host);
    return report;
  }
  auto round = late_round(policy);
  if (!round) return report;
  watched->watch.for_ms = policy.for_ms;
  round->passed_ms = watched->passed_ms;
  const bool failed = !watched->tally.failing().empty();
  watched->tally.add(job_.desired->lowered.checks, *round, policy);
  const Verdict verdict = watched->tally.judge(job_.desired->lowered.checks, policy);
  if (verdict.state == Verdict::State::unhealthy) return broke_late(*watched, verdict);
  const std::string fails = watched->tally.failing();
  if (!fails.empty() && !failed) tell_late(watched->watch, Progress::Level::detail, "late watch: " + fails);
  if (verdict.state == Verdict::State::wait) {
    tools_.late->put(*watched, policy.every_ms);
    return report;
  }
  tell_late(watched->watch, Progress::Level::good, "still healthy: " + watched->tally.summary());
  tools_.late->end(job_.environment, record_.host);
  return report;
}

/// The hold makes it go back, by whoever chooses next. It comes first: who dies after it has lost nothing.
HostReport HostSteps::broke_late(const LateWatches::Watched& watched, const Verdict& verdict) {
  const LateWatch& watch = watched.watch;
  std::string why = std::string(late_reason) + verdict.why;
  if (watch.back_to.empty()) why += "; there is no verified state of this host from before";
  tell_late(watch, Progress::Level::bad, why);
  deployment_ = watch.deployment;  // whose story this belongs to
  tell_journal(verdict.blamed);
  deployment_ = 0;
  HOLDFAST_FAILPOINT("turn.late");
  tools_.store.put_hold({.environment = job_.environment,
                         .host = record_.host,
                         .bundle = watch.bundle,
                         .commit = watch.commit,
                         .reason = printable(why),
                         .since_ms = tools_.clock.wall_ms(),
                         .deployment = watch.deployment,
                         .back_to = watch.back_to});
  HOLDFAST_FAILPOINT("turn.late.held");
  tools_.late->end(job_.environment, record_.host);
  return this->report(HostResult::held, "held", "held: " + why);
}

void HostSteps::tell_late(const LateWatch& watch, Progress::Level level, const std::string& text) {
  const std::string line = printable(text);
  tools_.store.add_event(watch.deployment, tools_.clock.wall_ms(), line);
  show(level, line);
}

}  // namespace holdfast
