#pragma once

#include <controller/health/late_tally.hpp>
#include <controller/rollout/clock.hpp>
#include <controller/store/store.hpp>
#include <manifests/environment.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// The hosts of one environment that are watched for a while after they have a new commit: when each has its next
/// round, and what was seen so far. Rounds are taken in the hosts' own turns (host_late.cpp). Kept in the state file,
/// where it may be some seconds behind. Thread-safe; what the store can't do is thrown as Error.
class LateWatches {
 public:
  LateWatches(Store& store, const Clock& clock) : store_(store), clock_(clock) {}
  ~LateWatches();
  LateWatches(const LateWatches&) = delete;
  LateWatches& operator=(const LateWatches&) = delete;

  /// Takes up what another process, or this one before, began, and drops what another one has ended. Hosts that are no
  /// longer in the environment are nobody's to watch.
  void learn(const Environment& environment);
  /// The first round comes `every_ms` from now.
  void begin(LateWatch watch, const LateTally& tally, std::int64_t every_ms);
  void end(const std::string& environment, const std::string& host);

  /// The hosts whose next round is due, each once per `every_ms`.
  std::vector<std::string> due();
  /// A host that is watched.
  struct Watched {
    LateWatch watch{};
    LateTally tally{{}, {}};
    std::int64_t passed_ms = 0;  // watched time since its last round
  };
  /// Where a round is due: what put() gets back with that round in it.
  std::optional<Watched> take(const std::string& host);
  void put(const Watched& watched, std::int64_t every_ms);

  /// One of them fails a check just now, so that nobody knows yet whether its commit is any good.
  [[nodiscard]] bool in_doubt() const;

 private:
  struct Entry {
    Watched watched{};
    std::int64_t every_ms = 0;
    std::optional<std::int64_t> last_ms{};   // its last round, or its begin, in this process; monotonic
    std::optional<std::int64_t> named_ms{};  // by due()
    bool written = true;
  };
  void write(bool all);

  Store& store_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> hosts_{};
  std::int64_t written_ms_ = 0;
};

/// What was seen of it, as the state file has it.
LateTally tally_of(const LateWatch& watch);

}  // namespace holdfast
