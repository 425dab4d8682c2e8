#pragma once

#include <controller/notify/queue.hpp>
#include <controller/notify/sink.hpp>
#include <controller/rollout/clock.hpp>
#include <controller/rollout/progress.hpp>

#include <atomic>
#include <cstdint>
#include <limits>
#include <string>

namespace holdfast {

/// Takes one sink's notifications to it, in their order. What fails is tried again after 1 s, 2 s, … 10 min, and given
/// up after a day; what the sink does not take is given up after three tries. Belongs to one thread.
class Courier {
 public:
  static constexpr std::int64_t nothing_waits = std::numeric_limits<std::int64_t>::max();

  Courier(SinkSettings sink, NotifyQueue& queue, const Clock& clock, OnProgress on_progress,
          const std::atomic<bool>& stop);

  /// Delivers all that waits, up to the first failure or `stop`. Milliseconds until the next try.
  std::int64_t turn();

 private:
  enum class Step { delivered, wait };
  Step deliver(const Delivery& one);
  Step refused(const Delivery& one, const SendResult& result);
  void failed(const SendResult& result);
  bool tell_of_dropped();
  void worked();
  void tell(Progress::Level level, const std::string& text) const;
  [[nodiscard]] std::int64_t pause_ms(std::int64_t asked_ms) const;

  SinkSettings sink_;
  NotifyQueue& queue_;
  const Clock& clock_;
  OnProgress on_progress_;
  const std::atomic<bool>& stop_;
  int failures_ = 0;
  std::int64_t due_ms_ = 0;  // monotonic
  std::int64_t sent_ = 0;    // delivered, but the queue could not be told yet
  std::string said_{};       // why it fails, as the log has it
};

}  // namespace holdfast
