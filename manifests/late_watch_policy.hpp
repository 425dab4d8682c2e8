#pragma once

#include <manifests/schema.hpp>
#include <manifests/value.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace holdfast {

/// What a host that has a new commit, healthy and confirmed, must hold for a while yet, or it goes back after all.
/// Shares are of 1. A limit that is not named is none.
struct LateWatchPolicy {
  std::int64_t for_ms = 60'000;             // how long it is watched; 0: not at all
  std::int64_t every_ms = 5'000;            // between two rounds of all checks
  int failures = 3;                         // so many in a row of one check break the watch
  int restarts = 1;                         // that systemd may do of one unit in all of the watch
  double percentile = 0.95;                 // of the answers of each http check …
  std::optional<std::int64_t> latency_ms{};  // … must have come within this
  std::optional<double> errors{};           // of the samples of each http check
  std::optional<double> cpu{};              // of all processors of the host, in the last minute
  std::optional<double> memory{};           // of the host's, in the last minute
};

/// Out of `spec.health`, which its schema has accepted and completed, and what a schema can't say of it.
LateWatchPolicy read_late_watch_policy(const Value& health, std::vector<Finding>& findings);

}  // namespace holdfast
