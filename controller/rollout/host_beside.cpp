// Two processes of one controller, such as the daemon and a command beside it: one of them changes a host at a time.
#include <controller/rollout/host_steps.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::int64_t look_again_ms = 500;
constexpr int newest_looked_at = 5;

}  // namespace

bool HostSteps::is_at_it(const Deployment& one) const {
  return one.outcome == Outcome::running && one.process != tools_.process && tools_.lives && tools_.lives(one.process);
}

HostReport HostSteps::busy(const Deployment& other) const {
  return {.host = record_.host,
          .result = HostResult::busy,
          .detail = "\"" + other.requested_by + "\" is changing it: deployment " + std::to_string(other.id) +
                    " is not at its end"};
}

/// Deployments that a process beside us is at are its own to end. Waits for it as long as the job says.
std::optional<HostReport> HostSteps::busy_beside() {
  const std::int64_t until = tools_.clock.monotonic_ms() + job_.patience_ms;
  for (;;) {
    looked_ms_ = tools_.clock.wall_ms();
    unsettled_ = tools_.store.unsettled(job_.environment, record_.host);
    const auto other = std::ranges::find_if(unsettled_, [this](const Deployment& one) { return is_at_it(one); });
    if (other == unsettled_.end()) return std::nullopt;
    if (tools_.clock.monotonic_ms() >= until) return busy(*other);
    tools_.clock.sleep_ms(look_again_ms);
    take_record();  // what it did is what we begin from
  }
}

std::optional<HostReport> HostSteps::open_beside() {
  if (!open_) return std::nullopt;
  for (const Deployment& one : tools_.store.unsettled(job_.environment, record_.host)) {
    if (!is_at_it(one)) continue;
    overtaken_ = true;
    return busy(one);
  }
  return std::nullopt;
}

std::optional<HostReport> HostSteps::begun_beside() {
  for (const Deployment& one : tools_.store.deployments(job_.environment, record_.host, newest_looked_at)) {
    if (one.id == deployment_ || one.process == tools_.process) continue;
    const bool was_first = one.id < deployment_ && is_at_it(one);
    const bool ended_meanwhile = one.begun_ms >= looked_ms_ && one.ended_ms != 0;
    if (!was_first && !ended_meanwhile) continue;
    overtaken_ = true;
    end(Outcome::failed, "nothing was done: \"" + one.requested_by + "\" was changing the host at the same moment");
    deployment_ = 0;
    return busy(one);
  }
  return std::nullopt;
}

}  // namespace holdfast
