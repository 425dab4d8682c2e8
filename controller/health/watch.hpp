#pragma once

#include <controller/health/health.hpp>

#include <functional>

namespace holdfast {

/// The clock that a watch goes by, so that tests turn it by hand. Monotonic milliseconds.
struct HealthClock {
  std::function<std::int64_t()> now_ms{};
  std::function<void(std::int64_t)> sleep_ms{};
};
HealthClock steady_health_clock();

/// Takes one round of samples and is back by `latest`.
using Sampler = std::function<std::vector<Sample>(Deadline latest)>;

/// One watch over a host after its change.
struct HealthWatch {
  std::vector<Check> checks{};
  HealthPolicy policy{};
  std::vector<Sample> baseline{};  // from sample_round before the change
  bool blame_baseline = true;
  std::int64_t begun_ms = -1;  // end of the transaction's effects on `clock`; -1: now. Given again after a reconnect
  HealthClock clock = steady_health_clock();
  std::function<void(const std::vector<Sample>& round, const Verdict& verdict)> on_round{};  // may be empty
  /// Asked after every round and in the pauses between them: true ends the watch without a verdict, unless it is about
  /// to pass within seconds. May be empty.
  std::function<bool()> cut_short{};
};

/// Samples round after round until `judge` decides; gives `wait` only where it was cut short. The last round ends at
/// the policy's deadline. Throws Error when the connection to the host is lost, and what `on_round` throws.
Verdict watch_health(const HealthWatch& watch, HostProbe& probe);
Verdict watch_health(const HealthWatch& watch, const Sampler& sampler);

/// The pause between the begins of two rounds: the policy's, or shorter where its passes would not fit into the window.
std::int64_t round_interval_ms(const HealthPolicy& policy);

}  // namespace holdfast
