#pragma once

#include <controller/notify/settings.hpp>
#include <controller/rollout/clock.hpp>
#include <controller/rollout/progress.hpp>
#include <controller/store/store.hpp>

#include <memory>
#include <string>
#include <vector>

namespace holdfast {

/// Tells the sinks what happens, from threads of its own, for as long as it lives: nothing waits for it. What is not
/// delivered at its end is delivered by the next one.
class Notifier {
 public:
  /// `store` must outlive it. Throws Error when the state file can't be used.
  Notifier(std::vector<SinkSettings> sinks, const std::string& state_file, Store& store, const Clock& clock,
           OnProgress on_progress);
  /// Ends within a second.
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace holdfast
