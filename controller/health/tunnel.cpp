#include <controller/health/tunnel.hpp>

#include <manifests/error.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace holdfast {

namespace {
constexpr std::size_t piece = 16'384;
}

Tunnel::Tunnel(Stream& stream) : stream_(stream) {
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends_.data()) != 0) {
    throw Error("cannot make a pair of local sockets: too many open files");
  }
}

Tunnel::~Tunnel() {
  for (const int end : ends_) {
    if (end >= 0) close(end);
  }
}

int Tunnel::hand_over() { return std::exchange(ends_[1], -1); }

bool Tunnel::carry_out(Deadline deadline) {
  std::array<char, piece> bytes{};
  bool moved = false;
  for (;;) {
    const ssize_t count = recv(ends_[0], bytes.data(), bytes.size(), 0);
    if (count <= 0) return moved;
    stream_.write({bytes.data(), static_cast<std::size_t>(count)}, deadline);
    moved = true;
  }
}

bool Tunnel::carry_in(Deadline deadline) {
  if (inbound_.empty() && !ended_) {
    inbound_ = stream_.read(piece, deadline);
    ended_ = inbound_.empty();
    if (ended_) shutdown(ends_[0], SHUT_WR);
  }
  const ssize_t count = send(ends_[0], inbound_.data(), inbound_.size(), MSG_NOSIGNAL);
  if (count > 0) inbound_.erase(0, static_cast<std::size_t>(count));
  return count > 0;
}

}  // namespace holdfast
