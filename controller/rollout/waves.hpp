#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace holdfast {

/// A commit's way through the hosts: what is proven for one says nothing of another.
struct Rollout {
  std::string key{};
  int canary = 1;                    // hosts that take it alone, one after the other, before all others
  std::vector<std::size_t> waves{};  // hosts of each wave after those; the last repeats; empty: all of them at once
  std::int64_t pause_ms = 0;         // after the canary and after every wave
  bool all_back = false;             // where it fails on one host, all go back that have it
};

/// How far a rollout is: what has to be known of it after a restart, too. Times are of its owner's clock.
struct RolloutPlace {
  std::string key{};
  int healthy = 0;                   // hosts that had it and were well, up to the canary's number
  std::size_t wave = 0;              // from 1; 0: the canary
  std::size_t taken = 0;             // hosts that began in this wave
  std::size_t running = 0;           // of those, hosts that are not done
  std::vector<std::string> hosts{};  // that are at it, or were the last to be
  std::int64_t next_ms = 0;          // the pause ends then; 0: there is none
  std::size_t left = 0;              // hosts that do not have it yet
  friend bool operator==(const RolloutPlace&, const RolloutPlace&) = default;
};

/// How many waves there are from this place on, the one of the place included: 0 where no host is left.
std::size_t waves_left(const Rollout& rollout, const RolloutPlace& place);

/// Which hosts may begin a commit, in which wave: the canary, then wave after wave with a pause between them. Pure.
class Waves {
 public:
  static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

  /// What another process, or this one before, knew. Heeded by the next begin() of the same rollout.
  void remember(RolloutPlace place) { remembered_ = std::move(place); }
  /// Another commit, or the same one with other sizes: true where it is another one, which begins with the canary.
  bool begin(const Rollout& rollout);
  /// Somebody said that it may be tried again: with the canary.
  void begin_again();

  [[nodiscard]] const Rollout& rollout() const { return rollout_; }
  /// The canary was well.
  [[nodiscard]] bool proven() const { return place_.healthy >= rollout_.canary; }
  /// The host that changes alone now; empty: none does.
  [[nodiscard]] const std::string& canary() const { return canary_; }
  /// How many hosts more the wave has room for: none in a pause.
  [[nodiscard]] std::size_t room(std::int64_t now_ms) const;
  /// A host takes its place; false where there is none for it.
  bool take(const std::string& host, std::int64_t now_ms);

  /// A host that had a place or none is done with its turn: it has the commit and is well, or had nothing to change.
  void done(const std::string& host, std::int64_t now_ms);
  /// It does not have it, and may come again.
  void gave_up(const std::string& host);
  [[nodiscard]] bool has(const std::string& host) const { return done_.contains(host); }
  [[nodiscard]] const RolloutPlace& place() const { return place_; }

 private:
  [[nodiscard]] std::size_t size() const;
  void close(std::int64_t now_ms);

  Rollout rollout_{};
  RolloutPlace place_{};
  RolloutPlace remembered_{};
  std::string canary_{};
  bool changed_ = false;             // a host of this wave did change
  std::set<std::string> running_{};  // hosts of the wave that have begun and are not done
  std::set<std::string> done_{};     // in this process's time
};

}  // namespace holdfast
