#include <controller/health/tunnel.hpp>

#include <manifests/error.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t piece = 16'384;

bool is_ours(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == getpid();
}

}  // namespace

// A socket pair would do, but curl 7.88 connects a socket again that it was told is connected already.
Tunnel::Tunnel(Stream& stream) : stream_(stream) {
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t size = sizeof address;
  // Bound without a name, the kernel chooses an abstract one that nobody has.
  const bool listens =
      listener_ >= 0 && bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)) == 0 &&
      listen(listener_, SOMAXCONN) == 0 && getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (!listens) {
    if (listener_ >= 0) close(listener_);
    throw Error("cannot listen on a local socket: too many open files");
  }
  name_.assign(address.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
}

Tunnel::~Tunnel() {
  if (listener_ >= 0) close(listener_);
  if (socket_ >= 0) close(socket_);
}

bool Tunnel::accepted() {
  while (socket_ < 0) {
    const int next = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (next < 0) return false;
    if (is_ours(next)) {
      socket_ = next;
      close(std::exchange(listener_, -1));
    } else {
      close(next);
    }
  }
  return true;
}

bool Tunnel::carry_out(Deadline deadline) {
  if (!accepted()) return false;
  std::array<char, piece> bytes{};
  bool moved = false;
  for (;;) {
    const ssize_t count = recv(socket_, bytes.data(), bytes.size(), 0);
    if (count <= 0) return moved;
    stream_.write({bytes.data(), static_cast<std::size_t>(count)}, deadline);
    moved = true;
  }
}

bool Tunnel::carry_in(Deadline deadline) {
  if (!accepted()) return false;
  if (inbound_.empty() && !ended_) {
    inbound_ = stream_.read(piece, deadline);
    ended_ = inbound_.empty();
    if (ended_) shutdown(socket_, SHUT_WR);
  }
  const ssize_t count = send(socket_, inbound_.data(), inbound_.size(), MSG_NOSIGNAL);
  if (count > 0) inbound_.erase(0, static_cast<std::size_t>(count));
  return count > 0;
}

}  // namespace holdfast
