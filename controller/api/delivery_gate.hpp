#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <unordered_set>

namespace holdfast {

/// Turns genuine deliveries into polls: one that is sent again wakes nobody, and one source wakes somebody 30 times a
/// minute at most; what comes faster is put together into the next time. Bounded in memory; safe from any thread.
class DeliveryGate {
 public:
  enum class Answer { woken, later, repeated };

  /// A genuine delivery by its name ("" for none) from the address `source`, at a monotonic time.
  Answer pass(const std::string& name, const std::string& source, std::int64_t now_ms);

  /// True, once for all that has passed since, when a poll is asked for.
  bool take(std::int64_t now_ms);

 private:
  struct Source {
    double tokens = 0;
    std::int64_t at_ms = 0;
  };
  bool spend(const std::string& source, std::int64_t now_ms);

  std::mutex mutex_;
  std::unordered_set<std::string> seen_;
  std::deque<std::string> order_;  // of what was seen, oldest first
  std::map<std::string, Source> sources_;
  bool wanted_ = false;
  std::int64_t later_ms_ = -1;  // when what came too fast asks for its poll; -1: nothing did
};

}  // namespace holdfast
