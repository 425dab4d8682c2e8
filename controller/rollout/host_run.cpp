#include <controller/rollout/host_run.hpp>

#include <controller/rollout/host_steps.hpp>
#include <manifests/error.hpp>

#include <utility>

namespace holdfast {

namespace {

/// The verdict of the health checks decides how a transaction ends.
HostReport finish(HostSteps& steps, const TransactionReply& applied) {
  if (steps.is_cut_short()) return steps.superseded(applied);
  if (applied.state == "none") return steps.never_begun();
  if (applied.state == "refused") return steps.refused_by_host(applied);
  if (applied.state != "pending") return steps.undone_by_host(applied);

  const Verdict verdict = steps.watch_health();
  return steps.judged(verdict);
}

HostReport stages(HostSteps& steps) {
  if (const auto busy = steps.busy_beside()) return *busy;
  steps.look();
  if (const auto observing = steps.observe_only()) return *observing;
  if (const auto learned = steps.learn()) return *learned;
  if (const auto settled = steps.settle_asked()) return *settled;
  if (steps.only_learns()) return steps.left_alone();
  if (const auto busy = steps.open_beside()) return *busy;
  if (const auto settled = steps.settle_open_transaction()) return *settled;

  PlanReply reply = steps.plan();
  if (const auto suspended = steps.suspended(reply)) return *suspended;
  reply = steps.leave_drift(std::move(reply));
  if (!reply.plan.refusals.empty()) return steps.refused(reply);
  if (reply.plan.nothing_to_do()) return steps.watched_late(steps.nothing_to_do());
  if (!steps.may_begin()) return steps.waits();

  steps.begin(reply);
  if (const auto busy = steps.begun_beside()) return *busy;
  steps.take_baseline();
  steps.send_contents(reply.plan);
  if (const auto superseded = steps.superseded_before()) return *superseded;
  return finish(steps, steps.apply(reply.plan));
}

HostReport take_turn(HostSteps& steps) {
  try {
    HostReport report = stages(steps);
    steps.keep_watch();
    return report;
  } catch (const HostSaysNo& error) {
    return steps.failed(error.what());
  } catch (const Error& error) {
    return steps.lost(error.what());
  }
}

}  // namespace

HostReport run_host(const HostJob& job, HostTools& tools) {
  constexpr int most_races = 3;  // with another process of this controller, that began at the same moment
  for (int i = 1;; ++i) {
    HostSteps steps(job, tools);
    HostReport report = take_turn(steps);
    if (!steps.was_overtaken() || i == most_races) return report;
  }
}

}  // namespace holdfast
