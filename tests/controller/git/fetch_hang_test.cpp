#include <controller/git/mirror.hpp>
#include <controller/git/publish.hpp>
#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "git_fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;

namespace {

/// Takes connections (the kernel does, up to the backlog) and never says a word.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size);
    ::listen(socket_, 16);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { ::close(socket_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  [[nodiscard]] std::string port() const { return std::to_string(port_); }

 private:
  int socket_;
  int port_ = 0;
};

/// Processes whose command line has this text: the fetch child of a mirror has none of it left when it is gone.
int processes_holding(const std::string& folder) {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(entry.path() / "fd", error)) {
      const std::string target = std::filesystem::read_symlink(file.path(), error).string();
      if (target.rfind(folder, 0) == 0) ++found;
    }
  }
  return found;
}

bool is_locked(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  const bool ours = ::flock(file, LOCK_EX | LOCK_NB) == 0;
  ::close(file);
  return !ours;
}

}  // namespace

TEST_CASE("a remote that accepts and says nothing is given up at the deadline", "[git]") {
  const SilentServer server;
  for (const char* scheme : {"ssh://git@", "https://", "http://"}) {
    const TempFolder folder;
    const Remote remote{.url = std::string(scheme) + "127.0.0.1:" + server.port() + "/fleet.git"};
    const auto mirror = Mirror::open(folder / "mirror.git", remote, child_options());
    const auto begun = std::chrono::steady_clock::now();
    CHECK_THROWS_WITH(mirror->fetch(in_seconds(2)), Catch::Contains("did not finish within 2 s"));
    const auto took = std::chrono::steady_clock::now() - begun;
    CHECK(took >= std::chrono::milliseconds(1500));
    CHECK(took < std::chrono::seconds(30));
    CHECK_THROWS_WITH(push(*mirror, {{std::string(40, 'a'), "refs/heads/a"}}, in_seconds(1)),
                      Catch::Contains("can't push") && Catch::Contains("did not finish within 1 s"));
    CHECK(processes_holding(folder.path()) == 0);
  }
}

TEST_CASE("a fetch waits for another one of the same mirror, and not for ever", "[git]") {
  const TempFolder folder;
  const GitRepository source(folder / "source");
  source.commit("a", "1");
  const auto mirror = Mirror::open(folder / "mirror.git", {.url = source.path()}, child_options());
  {
    const Background holder({"flock", "--no-fork", folder / "mirror.git.lock", "sleep", "1000"});
    const auto limit = in_seconds(60);
    // Held, not only open.
    while (!is_locked(folder / "mirror.git.lock") && std::chrono::steady_clock::now() < limit) usleep(10'000);
    CHECK_THROWS_WITH(mirror->fetch(in_seconds(1)), Catch::Contains("did not finish within 1 s"));
  }
  mirror->fetch(in_seconds(60));
  CHECK(mirror->branch("main").has_value());
}

TEST_CASE("a fetch whose deadline has passed is not begun", "[git]") {
  const TempFolder folder;
  const GitRepository source(folder / "source");
  const auto mirror = Mirror::open(folder / "mirror.git", {.url = source.path()}, child_options());
  CHECK_THROWS_WITH(mirror->fetch(in_seconds(-1)), Catch::Contains("no time is left"));
}

TEST_CASE("a child program that can't be started is an error in words", "[git]") {
  const TempFolder folder;
  const GitRepository source(folder / "source");
  MirrorOptions options;
  options.fetch_program = {"/nonexistent/holdfast", "fetch-child"};
  const auto mirror = Mirror::open(folder / "mirror.git", {.url = source.path()}, options);
  CHECK_THROWS_WITH(mirror->fetch(in_seconds(10)),
                    Catch::Contains("can't fetch") && Catch::Contains("/nonexistent/holdfast"));
}
