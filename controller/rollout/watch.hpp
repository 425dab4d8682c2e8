#pragma once

#include <controller/rollout/controller.hpp>

#include <cstdint>
#include <functional>

namespace holdfast {

struct WatchOptions {
  std::int64_t poll_ms = 30'000;     // between two polls, a tenth more or less
  std::int64_t sweep_ms = 60'000;    // how long hosts may go without being looked at, whatever the repository does
  std::size_t open_files = 1024;     // how many this process may have; a host takes one
  std::function<bool()> stopping{};  // asked often; true ends the loop after the hosts' turns that have begun
  std::function<bool()> woken{};     // asked often; true, once for each time, asks for a poll before it is due
};

/// The daemon's loop: fetch, read the environments of the root branch, and poll each, side by side. A slow or broken
/// environment delays no other, a slow or dead host no other host, and a remote that hangs none of them: what was
/// accepted stays in force meanwhile. Returns when it was asked to stop, the fetch has come to its end and the hosts'
/// turns that have begun are over.
void watch(const ControllerSettings& settings, SessionPool& sessions, Store& store, const Clock& clock,
           const OnProgress& on_progress, const WatchOptions& options);

/// How long to wait between two polls: `poll_ms`, a tenth more or less, so that many controllers do not ask at once.
std::int64_t poll_pause_ms(std::int64_t poll_ms, std::uint32_t random);

}  // namespace holdfast
