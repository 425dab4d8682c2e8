#include <reconcilers/host/dial.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/linux_paths.hpp>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

namespace holdfast {

namespace {

constexpr int connect_ms = 10'000;

struct Address {
  sockaddr_storage bytes{};
  socklen_t length = 0;
};

template <typename Known>
Address address_from(const Known& known) {
  Address address;
  std::memcpy(&address.bytes, &known, sizeof(known));
  address.length = sizeof(known);
  return address;
}

Address unix_address(const std::string& path) {
  sockaddr_un known{};
  known.sun_family = AF_UNIX;
  if (path.size() >= sizeof(known.sun_path)) throw Error("the path of the socket is too long");
  path.copy(known.sun_path, path.size());
  return address_from(known);
}

std::uint16_t port_of(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535) {
    throw Error("expected a port from 1 to 65535");
  }
  return static_cast<std::uint16_t>(port);
}

/// Literal addresses only: a static program has no resolver, and a check of this host needs none.
Address parse(const std::string& text) {
  if (text.starts_with('/')) return unix_address(text);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) throw Error("expected an address such as \"127.0.0.1:5000\", \"[::1]:80\" or a path");
  const std::uint16_t port = port_of(std::string_view(text).substr(colon + 1));
  std::string host = text.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) {
    sockaddr_in6 known{};
    known.sin6_family = AF_INET6;
    known.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &known.sin6_addr) == 1)
      return address_from(known);
  }
  sockaddr_in known{};
  known.sin_family = AF_INET;
  known.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &known.sin_addr) == 1) return address_from(known);
  throw Error("expected an IP address, found \"" + host + "\"");
}

std::string reason(int error) {
  std::string text = std::strerror(error);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

Fd connected(const Address& address) {
  Fd fd(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw Error(reason(errno));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.length) == 0) return fd;
  if (errno != EINPROGRESS) throw Error(reason(errno));
  struct pollfd side {};
  side.fd = fd.get();
  side.events = POLLOUT;
  if (::poll(&side, 1, connect_ms) <= 0) throw Error("connection timed out");
  int error = 0;
  socklen_t length = sizeof(error);
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) throw Error(reason(error));
  return fd;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EAGAIN) {
      struct pollfd side {};
      side.fd = fd;
      side.events = POLLOUT;
      ::poll(&side, 1, connect_ms);
    } else if (count < 0 && errno != EINTR) {
      return false;
    }
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// False at the end of `from`, or where `to` takes no more.
bool pass(int from, int to) {
  std::array<char, 65536> bytes{};
  const ssize_t count = ::read(from, bytes.data(), bytes.size());
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  return count > 0 && write_all(to, {bytes.data(), static_cast<std::size_t>(count)});
}

void pass_both_ways(int input, int output, int socket) {
  std::array<struct pollfd, 2> sides{};
  sides[0] = {input, POLLIN, 0};
  sides[1] = {socket, POLLIN, 0};
  for (;;) {
    if (::poll(sides.data(), sides.size(), -1) < 0 && errno != EINTR) return;
    if (sides[1].revents != 0 && !pass(socket, output)) return;
    if (sides[0].revents != 0 && !pass(input, socket)) {
      ::shutdown(socket, SHUT_WR);  // the answer to the last bytes may still come
      sides[0].fd = -1;
    }
  }
}

}  // namespace

int dial(const std::string& address, int input, int output) {
  try {
    const Fd socket = connected(parse(address));
    if (write_all(output, "+")) pass_both_ways(input, output, socket.get());
    return 0;
  } catch (const Error& error) {
    write_all(output, "-" + std::string(error.what()) + "\n");
    return 1;
  }
}

}  // namespace holdfast
