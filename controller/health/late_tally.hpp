#pragma once

#include <controller/health/health.hpp>
#include <controller/health/host_load.hpp>
#include <manifests/late_watch_policy.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// One round of a late watch.
struct LateRound {
  std::vector<Sample> samples{};    // of all checks
  std::optional<HostLoad> load{};   // where the policy has a limit for it
  std::int64_t passed_ms = 0;       // watched time since the round before: what nobody looked at does not count
};

/// What a late watch has seen so far: counts, so that hours of it are small, and can be kept over a restart. Pure.
class LateTally {
 public:
  /// `restarts`: the units' restart counters when the watch begins, by check; `already`: checks that failed before the
  /// change, too, and are never blamed.
  LateTally(std::map<std::string, std::int64_t> restarts, const std::vector<std::string>& already);
  /// What to_value() gave; a watch that begins anew for anything else.
  static LateTally from(const Value& value);
  [[nodiscard]] Value to_value() const;

  void add(const std::vector<Check>& checks, const LateRound& round, const LateWatchPolicy& policy);

  /// `healthy` at the end of its time, `unhealthy` as soon as a limit is broken or can't be kept any more, else `wait`.
  /// A share (latency, errors) is judged once there are samples enough to tell it from a chance hit: never by one sample
  /// alone. Checks that are no longer declared are passed over.
  [[nodiscard]] Verdict judge(const std::vector<Check>& checks, const LateWatchPolicy& policy) const;

  /// What fails in the newest round, though the watch goes on; empty: nothing does.
  [[nodiscard]] std::string failing() const;
  /// "12 rounds in 60 s, no failure; slowest answer 210 ms".
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] std::int64_t watched_ms() const { return watched_ms_; }
  [[nodiscard]] std::int64_t rounds() const { return rounds_; }

 private:
  struct Count {
    std::int64_t samples = 0;
    std::int64_t failed = 0;
    std::int64_t slow = 0;       // longer than the limit of its time
    std::int64_t streak = 0;     // failures in a row up to the newest sample
    std::int64_t restarts = -1;  // the newest counter
    std::int64_t moved = 0;      // how far it rose
    bool gave_up = false;
    bool already = false;
    std::int64_t slowest_ms = 0;
    std::string found{};  // of the newest sample that failed
  };
  [[nodiscard]] std::string broken(const Check& check, const Count& count, const LateWatchPolicy& policy) const;
  [[nodiscard]] std::string overloaded(const LateWatchPolicy& policy) const;

  std::int64_t watched_ms_ = 0;
  std::int64_t rounds_ = 0;
  std::map<std::string, Count> counts_{};  // by check
  std::deque<HostLoad> loads_{};           // of the last minute
};

}  // namespace holdfast
