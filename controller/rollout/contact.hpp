#pragma once

#include <cstdint>
#include <optional>

namespace holdfast {

struct ContactLimits {
  std::int64_t first_wait_ms = 20'000;     // after the first time that a host was not reached; doubled each time
  std::int64_t longest_wait_ms = 300'000;  // so a host that came back is noticed after five minutes at the latest
};

/// How it goes with reaching one host, and when to try again. Pure: times are of any clock that only goes forward.
class Contact {
 public:
  explicit Contact(const ContactLimits& limits) : limits_(limits) {}

  /// `slow`: it kept us waiting for longer than others do. Nothing where the turn says nothing about that.
  void answered(std::optional<bool> slow);
  /// `spread` from 0 to 1 lengthens the wait by up to a quarter, so that hosts that went together don't come together.
  void missed(std::int64_t now_ms, double spread);
  /// It is known from before to be out of reach; tried at once all the same.
  void assume_missed() { failures_ = failures_ == 0 ? 1 : failures_; }
  /// Something else is wanted of the host: the next try is due now.
  void hurry() { due_ms_ = 0; }

  [[nodiscard]] bool due(std::int64_t now_ms) const { return now_ms >= due_ms_; }
  [[nodiscard]] int failures() const { return failures_; }
  /// It kept us waiting the last time, or did not answer at all: it must not stand in front of others.
  [[nodiscard]] bool tries_patience() const { return failures_ > 0 || slow_; }

 private:
  ContactLimits limits_;
  int failures_ = 0;
  bool slow_ = false;
  std::int64_t due_ms_ = 0;
};

}  // namespace holdfast
