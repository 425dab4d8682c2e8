#pragma once

#include <controller/rollout/controller.hpp>

#include <atomic>
#include <optional>
#include <string>
#include <thread>

namespace holdfast {

/// Fetches of the fleet's repository, one at a time, beside everything else: a remote that hangs holds up nothing.
class Fetching {
 public:
  explicit Fetching(const ControllerSettings& settings);

  /// Begins one, unless one is on its way. `due`: it was time for a poll, so that its failure counts.
  void begin(bool due);
  [[nodiscard]] bool running() const { return running_; }

  struct Result {
    std::string problem{};  // why it failed; empty: it did not
    bool due = false;
  };
  /// What came of the one that has ended since the last call.
  std::optional<Result> take();

 private:
  std::unique_ptr<Mirror> mirror_;
  std::atomic<bool> running_ = false;
  bool begun_ = false;
  Result result_{};
  std::jthread thread_{};  // last: it uses the others
};

}  // namespace holdfast
