#pragma once

#include <controller/health/health.hpp>

#include <memory>
#include <string>

namespace holdfast {

/// A dialled stream after its answer was read off: `stream` is connected, or null with the reason.
struct Dialled {
  std::unique_ptr<Stream> stream{};
  std::string refused{};  // printable
  bool timed_out = false;
};

/// Dials through the probe ("localhost" is both loopback addresses in turn; the runner resolves no names) and reads the
/// runner's answer (docs/protocol.md, dial). Throws Error when the connection to the host is lost.
Dialled dial_answered(HostProbe& probe, const std::string& address, Deadline deadline);

}  // namespace holdfast
