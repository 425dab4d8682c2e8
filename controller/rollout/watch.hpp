#pragma once

#include <controller/rollout/controller.hpp>

#include <functional>

namespace holdfast {

struct WatchOptions {
  std::int64_t poll_ms = 30'000;     // between two fetches, plus up to a tenth of jitter
  std::function<bool()> stopping{};  // asked often; true ends the loop after the hosts' turns that have begun
};

/// The daemon's loop: fetch, read the environments of the root branch, and give each its turn, side by side. A slow or
/// broken environment delays no other; while a turn lasts the newest commit waits for the next. Returns when it was
/// asked to stop.
void watch(const ControllerSettings& settings, SessionPool& sessions, Store& store, const Clock& clock,
           const OnProgress& on_progress, const WatchOptions& options);

}  // namespace holdfast
