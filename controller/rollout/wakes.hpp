#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// Which hosts get a turn because they said that something changed on them. Several hints are one turn; a host that
/// gives hints all the time has a few at once, and then one now and then, so that it costs little. Pure: times are of
/// any clock that only goes forward. Not thread-safe.
class Wakes {
 public:
  void heard(const std::string& host) { hosts_[host].asked = true; }
  /// The hosts whose turn is due now; each is named once for what was heard until now.
  std::vector<std::string> due(std::int64_t now_ms);

  static constexpr std::int64_t between_ms = 2'000;  // the turns of one host
  static constexpr int at_once = 60;                 // so many may follow each other like that
  static constexpr std::int64_t refill_ms = 10'000;  // then one each

 private:
  struct Entry {
    bool asked = false;
    int used = 0;
    std::int64_t last_ms = -between_ms;
    std::int64_t refilled_ms = 0;
  };
  std::map<std::string, Entry> hosts_{};
};

}  // namespace holdfast
