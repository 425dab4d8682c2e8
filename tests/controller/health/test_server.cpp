#include "test_server.hpp"

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

#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace holdfast {

namespace {

bool readable(int fd, int ms) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, ms) > 0;
}

/// The head, and as much of a body as it promises.
bool is_whole(const std::string& request) {
  const std::size_t end = request.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const std::size_t length = request.find("Content-Length: ");
  return length > end || request.size() - end - 4 >= std::stoul(request.substr(length + 16));
}

}  // namespace

TestServer::TestServer(Answer answer, const std::string& unix_path) : answer_(std::move(answer)) {
  if (unix_path.empty()) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&place), size) != 0) throw Error("cannot bind");
    getsockname(listener_, reinterpret_cast<sockaddr*>(&place), &size);
    port_ = ntohs(place.sin_port);
  } else {
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    unix_path.copy(place.sun_path, sizeof place.sun_path - 1);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&place), sizeof place) != 0) throw Error("cannot bind");
  }
  listen(listener_, 16);
  thread_ = std::thread([this] { serve(); });
}

TestServer::~TestServer() {
  stopping_ = true;
  thread_.join();
  close(listener_);
}

std::vector<std::string> TestServer::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

void TestServer::serve() {
  while (!stopping_) {
    if (!readable(listener_, 20)) continue;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    answer_one(fd);
    close(fd);
  }
}

void TestServer::answer_one(int fd) {
  std::string request;
  while (!stopping_ && !is_whole(request)) {
    if (!readable(fd, 20)) continue;
    std::array<char, 4096> bytes{};
    const ssize_t count = recv(fd, bytes.data(), bytes.size(), 0);
    if (count <= 0) return;
    request.append(bytes.data(), static_cast<std::size_t>(count));
  }
  {
    const std::scoped_lock lock(mutex_);
    requests_.push_back(request);
  }
  const std::string answer = answer_(request);
  if (answer == hang) {
    while (!stopping_ && !readable(fd, 20)) {
    }
    return;
  }
  std::size_t sent = 0;
  while (sent < answer.size()) {
    const ssize_t count = send(fd, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return;
    sent += static_cast<std::size_t>(count);
  }
  shutdown(fd, SHUT_WR);
  std::array<char, 4096> rest{};
  while (!stopping_ && readable(fd, 1'000) && recv(fd, rest.data(), rest.size(), 0) > 0) {
  }
}

std::string http_answer(int status, const std::string& body, const std::string& headers) {
  return "HTTP/1.1 " + std::to_string(status) + " Whatever\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}

Child::Child(const std::vector<std::string>& argv) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw Error("no pipe");
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(ends[1]);
  output_ = ends[0];
}

Child::~Child() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(output_);
}

int Child::wait() {
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string Child::read_until(const std::string& text) {
  std::string said;
  while (said.find(text) == std::string::npos || said.back() != '\n') {
    char byte = 0;
    if (!readable(output_, 20'000) || read(output_, &byte, 1) != 1) throw Error("expected " + text + ", found " + said);
    said += byte;
  }
  return said;
}

TempFolder::TempFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw Error("no temporary folder");
  folder_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace holdfast
