#pragma once

#include <controller/connection.hpp>

#include <array>
#include <string>

namespace holdfast {

/// A local socket whose far end is a Stream: lets a library that wants a socket talk through the connection to a host.
/// No thread of its own: whoever drives the library calls the carriers in turn, so the connection stays with one
/// thread.
class Tunnel {
 public:
  explicit Tunnel(Stream& stream);
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  ~Tunnel();

  /// The library's end, once (it closes it); -1 after that.
  int hand_over();
  /// Passes on what the library wrote; false where that was nothing. Throws what the stream throws.
  bool carry_out(Deadline deadline);
  /// Waits for bytes from the stream, unless some still wait for the library, and hands them over; false where the
  /// library took none. Its end of file follows the stream's.
  bool carry_in(Deadline deadline);
  /// True once the stream ended and the library has all of it.
  [[nodiscard]] bool ended() const { return ended_ && inbound_.empty(); }

 private:
  Stream& stream_;
  std::array<int, 2> ends_{-1, -1};  // ours, the library's
  std::string inbound_;
  bool ended_ = false;
};

}  // namespace holdfast
