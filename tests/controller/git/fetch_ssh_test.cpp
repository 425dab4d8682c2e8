#include <controller/git/mirror.hpp>
#include <controller/git/publish.hpp>
#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "git_fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;
namespace fs = std::filesystem;

namespace {

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

/// An environment variable of this process for the length of a test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    had_ = std::getenv(name) != nullptr;
    value.empty() ? unsetenv(name) : setenv(name, value.c_str(), 1);
  }
  ~Variable() { had_ ? setenv(name_, old_.c_str(), 1) : unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::string old_;
  bool had_ = false;
};

/// A real sshd on the loopback address with keys and a repository of its own.
struct Server {
  TempFolder folder{};
  GitRepository source{folder / "source"};
  int port = free_port();
  Variable home{"HOME", folder / "home"};
  Variable agent{"SSH_AUTH_SOCK", ""};
  std::unique_ptr<Background> sshd{};

  Server() {
    source.commit("a.txt", "over ssh\n");
    fs::create_directories(folder / "home/.ssh");
    key("host_ed25519", "ed25519");
    key("host_ecdsa", "ecdsa");
    key("host_rsa", "rsa");
    key("client", "ed25519");
    fs::copy(folder / "client.pub", folder / "authorized");
    write_file(folder / "config",
               "Port " + std::to_string(port) + "\nListenAddress 127.0.0.1\nHostKey " + (folder / "host_ecdsa") +
                   "\nHostKey " + (folder / "host_ed25519") + "\nHostKey " + (folder / "host_rsa") +
                   "\nAuthorizedKeysFile " + (folder / "authorized") +
                   "\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nLogLevel QUIET\n");
    fs::create_directories("/run/sshd");
    sshd = std::make_unique<Background>(std::vector<std::string>{"/usr/sbin/sshd", "-D", "-f", folder / "config"});
    wait_for_port(port);
  }

  void key(const std::string& name, const std::string& type) const {
    run({"ssh-keygen", "-q", "-t", type, "-N", "", "-C", "", "-f", folder / name});
  }
  [[nodiscard]] std::string public_key(const std::string& name) const {
    return without_line_end(read_file(folder / (name + ".pub")));
  }
  [[nodiscard]] std::string host() const { return "[127.0.0.1]:" + std::to_string(port); }
  void known_hosts(const std::string& text) const { write_file(folder / "home/.ssh/known_hosts", text); }

  [[nodiscard]] Remote remote() const {
    const std::string user = getpwuid(geteuid())->pw_name;
    return {.url = "ssh://" + user + "@127.0.0.1:" + std::to_string(port) + source.path(),
            .identity = folder / "client"};
  }
  [[nodiscard]] std::string fetch(const Remote& wanted) const {
    const auto mirror = Mirror::open(folder / "mirror.git", wanted, child_options());
    try {
      mirror->fetch(in_seconds(60));
    } catch (const Error& error) {
      return error.what();
    }
    return mirror->branch("main") == source.git({"rev-parse", "HEAD"}) ? "fetched" : "nothing came";
  }
};

}  // namespace

TEST_CASE("an ssh remote is fetched when its host key is the pinned one", "[git][ssh]") {
  const Server server;
  Remote remote = server.remote();
  for (const char* name : {"host_ed25519", "host_ecdsa"}) {
    remote.host_key = server.public_key(name);
    CHECK(server.fetch(remote) == "fetched");
  }
  remote.host_key = server.public_key("client");
  CHECK_THAT(server.fetch(remote), Catch::Contains("is another than the pinned key says") &&
                                       Catch::Contains("do not continue before you know why"));
  remote.host_key = "ssh-ed25519 nonsense";
  CHECK_THAT(server.fetch(remote), Catch::Contains("expected a host key"));
}

TEST_CASE("an ssh remote is fetched when known_hosts knows its key, plain or hashed", "[git][ssh]") {
  const Server server;
  const std::string line = server.host() + " " + server.public_key("host_ed25519") + "\n";
  CHECK_THAT(server.fetch(server.remote()),
             Catch::Contains("is not known: found SHA256:") && Catch::Contains("pin \""));
  server.known_hosts(line);
  CHECK(server.fetch(server.remote()) == "fetched");
  run({"ssh-keygen", "-q", "-H", "-f", server.folder / "home/.ssh/known_hosts"});
  CHECK(server.fetch(server.remote()) == "fetched");
  server.known_hosts(server.host() + " " + server.public_key("host_rsa") + "\n" + line);
  CHECK(server.fetch(server.remote()) == "fetched");
  server.known_hosts(line + "@revoked * " + server.public_key("host_ed25519") + "\n");
  CHECK_THAT(server.fetch(server.remote()), Catch::Contains("is marked @revoked"));
  server.known_hosts(server.host() + " " + server.public_key("client") + "\n");
  CHECK_THAT(server.fetch(server.remote()), Catch::Contains("is another than"));
  server.known_hosts(server.host() + " " + server.public_key("host_rsa") + "\n");
  CHECK_THAT(server.fetch(server.remote()), Catch::Contains("only a key of type \"ssh-rsa\" is known"));
  server.known_hosts("127.0.0.1 " + server.public_key("host_ed25519") + "\n");
  CHECK_THAT(server.fetch(server.remote()), Catch::Contains("is not known"));
  Remote elsewhere = server.remote();
  elsewhere.known_hosts = server.folder / "elsewhere";
  write_file(elsewhere.known_hosts, line);
  CHECK(server.fetch(elsewhere) == "fetched");
}

TEST_CASE("an ssh remote takes the agent's key, or the user's own", "[git][ssh]") {
  const Server server;
  Remote remote = server.remote();
  remote.identity = "";
  remote.host_key = server.public_key("host_ed25519");
  CHECK_THAT(server.fetch(remote), Catch::Contains("does not accept a login without a key"));
  fs::copy(server.folder / "client", server.folder / "home/.ssh/id_ed25519");
  CHECK(server.fetch(remote) == "fetched");
  fs::remove(server.folder / "home/.ssh/id_ed25519");
  const std::string socket = server.folder / "agent";
  const Background agent({"ssh-agent", "-D", "-a", socket});
  const auto limit = in_seconds(60);
  while (!fs::exists(socket) && std::chrono::steady_clock::now() < limit) usleep(10'000);
  const Variable to_agent("SSH_AUTH_SOCK", socket);
  CHECK_THAT(server.fetch(remote), Catch::Contains("does not accept the agent's keys"));
  run({"ssh-add", "-q", server.folder / "client"});
  CHECK(server.fetch(remote) == "fetched");
}

TEST_CASE("a refused ssh key says which, for whom, and what is expected", "[git][ssh]") {
  const Server server;
  Remote remote = server.remote();
  remote.host_key = server.public_key("host_ed25519");
  server.key("stranger", "ed25519");
  remote.identity = server.folder / "stranger";
  CHECK_THAT(server.fetch(remote), Catch::Contains("does not accept the key \"" + remote.identity + "\"") &&
                                       Catch::Contains("expected an ed25519 key"));
  server.key("old", "rsa");
  remote.identity = server.folder / "old";
  CHECK_THAT(server.fetch(remote), Catch::Contains("is an RSA key; use an ed25519 key"));
}

TEST_CASE("an ssh remote without the repository says what the server said", "[git][ssh]") {
  const Server server;
  Remote remote = server.remote();
  remote.host_key = server.public_key("host_ed25519");
  remote.url += "-none";
  CHECK_THAT(server.fetch(remote), Catch::Contains("can't fetch \"ssh://"));
}

TEST_CASE("a push over ssh brings what is new, and tells what the remote's rules refuse", "[git][ssh][push]") {
  const Server server;
  const std::string hook = server.source.path() + "/.git/hooks/update";
  write_file(hook, "#!/bin/sh\ncase $1 in *closed*) echo no entry >&2; exit 1;; esac\n");
  fs::permissions(hook, fs::perms::owner_all);
  Remote remote = server.remote();
  remote.host_key = server.public_key("host_ed25519");
  const auto mirror = Mirror::open(server.folder / "mirror.git", remote, child_options());
  mirror->fetch(in_seconds(60));
  const std::string base = *mirror->branch("main");
  const std::string id = write_commit(*mirror, base, base, {{"b.txt", "new\n"}}, "Say b", {"h", "h@example.org", 1000});
  const Pushed pushed =
      push(*mirror, {{id, "refs/heads/holdfast/a"}, {id, "refs/heads/closed"}, {id, "refs/tags/t"}}, in_seconds(60));
  REQUIRE(pushed.rejected.size() == 1);
  CHECK(pushed.rejected.front().update.name == "refs/heads/closed");
  CHECK_THAT(pushed.rejected.front().reason, Catch::Contains("the remote refuses it") && Catch::Contains("hook"));
  CHECK(pushed.done.size() == 2);
  CHECK(server.source.git({"show", "holdfast/a:b.txt"}) == "new");
  CHECK(server.source.git({"rev-parse", "t"}) == id);
  CHECK(server.source.git({"fsck", "--strict"}) == "");
  CHECK(push(*mirror, {{id, "refs/heads/holdfast/a"}}, in_seconds(60)).done.size() == 1);
  remote.host_key = server.public_key("client");
  const auto stranger = Mirror::open(server.folder / "mirror.git", remote, child_options());
  CHECK_THROWS_WITH(push(*stranger, {{id, "refs/heads/b"}}, in_seconds(60)), Catch::Contains("is another than"));
}
