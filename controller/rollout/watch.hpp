#pragma once

#include <controller/rollout/controller.hpp>

#include <functional>

namespace holdfast {

struct WatchOptions {
  std::int64_t poll_ms = 30'000;     // between two fetches, plus up to a tenth of jitter
  std::size_t open_files = 1024;     // how many this process may have; a host takes one
  std::function<bool()> stopping{};  // asked often; true ends the loop after the hosts' turns that have begun
};

/// The daemon's loop: fetch, read the environments of the root branch, and poll each, side by side. A slow or broken
/// environment delays no other, and a slow or dead host no other host: its turn goes on while the next polls pass it
/// over. Returns when it was asked to stop and the hosts' turns that have begun are over.
void watch(const ControllerSettings& settings, SessionPool& sessions, Store& store, const Clock& clock,
           const OnProgress& on_progress, const WatchOptions& options);

}  // namespace holdfast
