#include <controller/ssh/jump.hpp>

#include <controller/ssh/ssh_channel.hpp>
#include <manifests/error.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t buffer_bytes = 256U << 10U;

/// Carries bytes between a channel of the jump host and a socket; what one side does not take stops the other.
class Pump {
 public:
  Pump(std::shared_ptr<SshSession> session, std::unique_ptr<SshChannel> channel, Fd socket, Fd stop)
      : session_(std::move(session)),
        channel_(std::move(channel)),
        socket_(std::move(socket)),
        stop_(std::move(stop)) {}

  void run() {
    while (session_->alive()) {
      moved_ = false;
      if (!to_us() || !to_host()) return;
      const bool sends = session_->sends();
      const bool more = moved_ || (to_us_.empty() && channel_->ready());
      std::array<pollfd, 3> waiting = {{
          {.fd = session_->fd(), .events = events(true, sends), .revents = 0},
          {.fd = socket_.get(), .events = events(to_host_.empty(), !to_us_.empty()), .revents = 0},
          {.fd = stop_.get(), .events = POLLIN, .revents = 0},
      }};
      if (poll(waiting.data(), waiting.size(), more ? 0 : -1) < 0 && errno != EINTR) return;
      if (waiting[2].revents != 0) return;
      if ((waiting[1].revents & (POLLERR | POLLHUP)) != 0 && (waiting[1].revents & POLLIN) == 0) return;
    }
  }

 private:
  static short events(bool in, bool out) { return static_cast<short>((in ? POLLIN : 0) | (out ? POLLOUT : 0)); }

  /// False when the jump host's side is at its end and all of it was handed on.
  bool to_us() {
    if (to_us_.empty()) to_us_ = channel_->take(buffer_bytes);
    if (to_us_.empty()) return !channel_->ended();
    const ssize_t sent = send(socket_.get(), to_us_.data(), to_us_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) to_us_.erase(0, static_cast<std::size_t>(sent));
    moved_ = moved_ || sent > 0;
    return sent >= 0 || errno == EAGAIN || errno == EINTR;
  }

  bool to_host() {
    if (to_host_.empty() && !receive()) return false;
    const std::size_t sent = to_host_.empty() ? 0 : channel_->put(to_host_);
    to_host_.erase(0, sent);
    moved_ = moved_ || sent > 0;
    return true;
  }

  bool receive() {
    to_host_.resize(buffer_bytes);
    const ssize_t got = recv(socket_.get(), to_host_.data(), to_host_.size(), MSG_DONTWAIT);
    const int problem = errno;
    to_host_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return got > 0 || (got < 0 && (problem == EAGAIN || problem == EINTR));
  }

  std::shared_ptr<SshSession> session_;
  std::unique_ptr<SshChannel> channel_;
  Fd socket_;
  Fd stop_;
  std::string to_us_{};
  std::string to_host_{};
  bool moved_ = false;  // there may be more to move without waiting
};

std::pair<Fd, Fd> socket_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw Error(std::string("cannot make a pair of sockets: ") + std::strerror(errno));
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

}  // namespace

Jump::Jump(std::shared_ptr<SshSession> session, const SshTarget& next, Deadline deadline) {
  auto channel = SshChannel::forward(session, next.address, next.port, deadline);
  auto [ours, theirs] = socket_pair();
  auto [stop, stopped] = socket_pair();
  ours_ = std::move(ours);
  stop_ = std::move(stop);
  thread_ = std::thread(
      [pump = Pump(std::move(session), std::move(channel), std::move(theirs), std::move(stopped))]() mutable {
        try {
          pump.run();
        } catch (const Error&) {  // the session that goes through sees its socket closed, and tells it
        }
      });
}

Jump::~Jump() {
  stop_.close();
  if (thread_.joinable()) thread_.join();
}

Fd Jump::take_socket() { return std::move(ours_); }

}  // namespace holdfast
