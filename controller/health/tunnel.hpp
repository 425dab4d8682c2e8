#pragma once

#include <controller/connection.hpp>

#include <string>

namespace holdfast {

/// A local address whose far end is a Stream: lets a library that makes its own socket talk through the connection to a
/// host. No thread of its own: whoever drives the library calls the carriers in turn, so the connection stays with one
/// thread.
class Tunnel {
 public:
  explicit Tunnel(Stream& stream);
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  ~Tunnel();

  /// The name of the abstract unix socket that the library connects to, once and from this process.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Passes on what the library wrote; false where that was nothing. Throws what the stream throws.
  bool carry_out(Deadline deadline);
  /// Waits for bytes from the stream, unless some still wait for the library, and hands them over; false where the
  /// library took none. Its end of file follows the stream's.
  bool carry_in(Deadline deadline);
  /// True once the stream ended and the library has all of it.
  [[nodiscard]] bool ended() const { return ended_ && inbound_.empty(); }

 private:
  bool accepted();

  Stream& stream_;
  std::string name_;
  int listener_ = -1;
  int socket_ = -1;
  std::string inbound_;
  bool ended_ = false;
};

}  // namespace holdfast
