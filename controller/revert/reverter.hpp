#pragma once

#include <controller/rollout/controller.hpp>

#include <memory>

namespace holdfast {

/// Pushes branches that take back what was rolled back, from a thread of its own, for as long as it lives: nothing
/// waits for it. What is not pushed at its end is pushed by the next one.
class Reverter {
 public:
  /// All of these must outlive it.
  Reverter(const ControllerSettings& settings, Store& store, const Clock& clock, OnProgress on_progress);
  /// Waits for a push that has begun, a minute at most.
  ~Reverter();
  Reverter(const Reverter&) = delete;
  Reverter& operator=(const Reverter&) = delete;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace holdfast
