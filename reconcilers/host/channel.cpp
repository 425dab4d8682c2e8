#include <reconcilers/host/channel.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace holdfast {

std::optional<Frame> Channel::receive() {
  Frame frame;
  std::array<char, 65536> bytes{};
  while (!reader_.next(frame)) {
    const ssize_t count = ::read(input_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    reader_.add({bytes.data(), static_cast<std::size_t>(count)});
  }
  return frame;
}

void Channel::send(const Value& message) { write(encode_frame('J', to_json(message))); }

void Channel::send_blob(std::string_view digest, std::string_view bytes) { write(encode_blob(digest, bytes)); }

bool Channel::pause(int ms) const {
  struct pollfd side {};
  side.fd = input_;
  side.events = POLLRDHUP;
  return ::poll(&side, 1, ms) <= 0 || (side.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) == 0;
}

bool Channel::wait(const std::vector<int>& others, int ms) const {
  if (reader_.holds_bytes()) return true;
  std::vector<pollfd> sides = {{.fd = input_, .events = POLLIN, .revents = 0}};
  for (const int fd : others) sides.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  return ::poll(sides.data(), sides.size(), ms) > 0 && sides.front().revents != 0;
}

void Channel::write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::write(output_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error("the controller is gone: " + std::string(std::strerror(errno)));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace holdfast
