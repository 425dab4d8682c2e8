#include "local_probe.hpp"

#include <manifests/error.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace holdfast {

namespace {

int left_ms(Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 600'000));
}

void wait_for(int fd, short events, Deadline deadline) {
  pollfd waiting{.fd = fd, .events = events, .revents = 0};
  if (poll(&waiting, 1, left_ms(deadline)) <= 0) throw Error("deadline passed");
}

class SocketStream : public Stream {
 public:
  SocketStream(int fd, std::string answer) : fd_(fd), answer_(std::move(answer)) {}
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;
  ~SocketStream() override {
    if (fd_ >= 0) close(fd_);
  }

  void write(std::string_view bytes, Deadline deadline) override {
    while (!bytes.empty()) {
      wait_for(fd_, POLLOUT, deadline);
      const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0) throw Error("the stream is closed");
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  std::string read(std::size_t max, Deadline deadline) override {
    if (!answer_.empty()) {
      const std::string piece = answer_.substr(0, max);
      answer_.erase(0, piece.size());
      return piece;
    }
    if (fd_ < 0) return {};
    wait_for(fd_, POLLIN, deadline);
    std::string bytes(max, '\0');
    const ssize_t count = recv(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }

  void close_input() override { shutdown(fd_, SHUT_WR); }
  [[nodiscard]] std::string errors() const override { return {}; }

 private:
  int fd_;
  std::string answer_;
};

int connect_to(const std::string& address) {
  if (address.starts_with("/")) {
    sockaddr_un path{};
    path.sun_family = AF_UNIX;
    address.copy(path.sun_path, sizeof path.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, reinterpret_cast<sockaddr*>(&path), sizeof path) == 0) return fd;
    close(fd);
    return -1;
  }
  const std::size_t colon = address.rfind(':');
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  if (inet_pton(AF_INET, address.substr(0, colon).c_str(), &place.sin_addr) != 1) {
    errno = EADDRNOTAVAIL;
    return -1;
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&place), sizeof place) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace

std::unique_ptr<Stream> LocalProbe::dial(const std::string& address, Deadline /*deadline*/) {
  dialled.push_back(address);
  const int fd = connect_to(address);
  if (fd < 0) return std::make_unique<SocketStream>(-1, "-connection refused\n");
  return std::make_unique<SocketStream>(fd, "+");
}

HostProbe::Unit LocalProbe::unit(const std::string& name, Deadline /*deadline*/) { return units(name); }

HostProbe::Result LocalProbe::run(const std::vector<std::string>& argv, const std::string& /*user*/,
                                  std::int64_t timeout_ms, Deadline /*deadline*/) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw Error("no pipe");
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 1);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(ends[1]);
  Result result;
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  try {
    for (std::array<char, 4096> bytes{};;) {
      wait_for(ends[0], POLLIN, deadline);
      const ssize_t count = read(ends[0], bytes.data(), bytes.size());
      if (count <= 0) break;
      result.output.append(bytes.data(), static_cast<std::size_t>(count));
    }
  } catch (const Error&) {
    result.timed_out = true;
    kill(child, SIGKILL);
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

}  // namespace holdfast
