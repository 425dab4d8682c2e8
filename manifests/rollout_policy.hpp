#pragma once

#include <manifests/value.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace holdfast {

/// How many hosts one wave of a rollout is: a number, or a part of all hosts of the environment.
struct WaveSize {
  std::int64_t number = 100;
  bool percent = true;
  friend bool operator==(const WaveSize&, const WaveSize&) = default;
};
/// Rounded down, one at least.
std::size_t hosts_in(const WaveSize& size, std::size_t hosts);

/// What becomes of the hosts that have a commit already when it fails on another one.
enum class OnFailure {
  rollback_failed,  // they keep it; only the host where it failed goes back
  rollback_all,     // they go back too, each to what was verified there before
  halt,             // they keep it, and no host takes any other commit: a person decides
};
std::string_view to_text(OnFailure on_failure);

/// In which steps the hosts of an environment take a commit.
struct RolloutPolicy {
  int canary = 1;                 // hosts that take it alone, one after the other, before all others
  std::vector<WaveSize> waves{};  // of the hosts after those; the last size repeats; empty: all of them at once
  std::int64_t pause_ms = 0;      // after the canary and after every wave
  OnFailure on_failure = OnFailure::rollback_failed;
};

/// Out of `spec.rollout`, which its schema has accepted and completed.
RolloutPolicy read_rollout_policy(const Value& rollout);

}  // namespace holdfast
