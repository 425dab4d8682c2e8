#include "test_sshd.hpp"

#include <controller/ssh/runner_client.hpp>
#include <controller/ssh/socket.hpp>

#include <catch2/catch.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace holdfast {

namespace {

using Catch::Contains;

const std::string runner = TEST_RUNNER;

/// Connects and asks for something: what a session is good for.
std::string hello_through(const Host& host, const ConnectOptions& options) {
  RunnerClient client(connect(host, options, in_ms(20'000)));
  client.status(in_ms(20'000));
  return client.hello().version;
}

std::string refusal(const Host& host, const ConnectOptions& options) {
  return error_of([&] { hello_through(host, options); });
}

std::string fingerprint(const std::string& public_key_file) {
  const std::string line = run_program({"ssh-keygen", "-lf", public_key_file});
  return line.substr(line.find("SHA256:"), line.find(' ', line.find("SHA256:")) - line.find("SHA256:"));
}

bool tried_to_log_in(const TestSshd& sshd) { return sshd.log().find("publickey") != std::string::npos; }

}  // namespace

TEST_CASE("a host with the pinned key is reached, whatever known_hosts says", "[ssh]") {
  const TestSshd sshd;
  CHECK(hello_through(sshd.host(), sshd.options(runner)) == "test");

  Host host = sshd.host();
  host.host_keys.insert(host.host_keys.begin(), make_key(sshd.file("next")));  // the key to come, pinned beside today's
  CHECK(hello_through(host, sshd.options(runner)) == "test");
}

TEST_CASE("a host with another key than the pinned one is refused before any key is shown to it", "[ssh]") {
  const TestSshd sshd;
  Host host = sshd.host();
  host.host_keys = {make_key(sshd.file("other"))};
  const std::string error = refusal(host, sshd.options(runner));
  CHECK_THAT(error, Contains("not the expected one"));
  CHECK_THAT(error, Contains(fingerprint(sshd.file("other.pub"))));
  CHECK_THAT(error, Contains(fingerprint(sshd.file("host_ed25519.pub"))));
  CHECK_FALSE(tried_to_log_in(sshd));
}

TEST_CASE("an unknown host is refused with the line that would pin it", "[ssh]") {
  const TestSshd sshd;
  Host host = sshd.host();
  host.host_keys.clear();
  const ConnectOptions options = sshd.options(runner);
  const auto check = [&] {
    const std::string error = refusal(host, options);
    CHECK_THAT(error, Contains("is not known"));
    CHECK_THAT(error, Contains(fingerprint(sshd.file("host_ed25519.pub"))));
    CHECK_THAT(error, Contains("hostKey: \"" + sshd.host_key() + "\""));
    CHECK_THAT(error, Contains("console"));
    CHECK_FALSE(tried_to_log_in(sshd));
  };
  SECTION("without a known_hosts file, and none is written") {
    check();
    CHECK_FALSE(std::filesystem::exists(options.known_hosts));
  }
  SECTION("with one that knows others") {
    write_text(options.known_hosts, "192.0.2.1 " + sshd.host_key() + "\n");
    check();
  }
  SECTION("with one that revokes its key") {
    write_text(options.known_hosts, "@revoked " + sshd.known_hosts_line());
    CHECK(refusal(host, options) != "");
    CHECK_FALSE(tried_to_log_in(sshd));
  }
}

TEST_CASE("a host that known_hosts knows is reached, one whose key changed is refused", "[ssh]") {
  const TestSshd sshd;
  Host host = sshd.host();
  host.host_keys.clear();
  const ConnectOptions options = sshd.options(runner);
  SECTION("known") {
    write_text(options.known_hosts, sshd.known_hosts_line());
    CHECK(hello_through(host, options) == "test");
  }
  SECTION("known under a hashed name") {
    write_text(options.known_hosts, sshd.known_hosts_line());
    run_program({"ssh-keygen", "-H", "-f", options.known_hosts});
    REQUIRE(read_text(options.known_hosts).find("127.0.0.1") == std::string::npos);
    CHECK(hello_through(host, options) == "test");
  }
  SECTION("changed") {
    const std::string other = make_key(sshd.file("other"));
    write_text(options.known_hosts, "[127.0.0.1]:" + std::to_string(sshd.port()) + " " + other + "\n");
    const std::string error = refusal(host, options);
    CHECK_THAT(error, Contains("not the expected one"));
    CHECK_THAT(error, Contains(fingerprint(sshd.file("other.pub"))));
    CHECK_THAT(error, Contains(fingerprint(sshd.file("host_ed25519.pub"))));
    CHECK_FALSE(tried_to_log_in(sshd));
  }
}

TEST_CASE("the type of the pinned key is the one that is negotiated", "[ssh]") {
  SECTION("a server with several keys") {
    const TestSshd sshd({.key_types = {"ed25519", "rsa", "ecdsa"}});
    Host host = sshd.host();
    for (const char* type : {"rsa", "ecdsa"}) {
      host.host_keys = {sshd.host_key(type)};
      CHECK(hello_through(host, sshd.options(runner)) == "test");
    }
    host.host_keys.clear();
    write_text(sshd.options(runner).known_hosts, sshd.known_hosts_line("rsa"));
    CHECK(hello_through(host, sshd.options(runner)) == "test");
  }
  SECTION("a server that has only another type") {
    const TestSshd sshd({.key_types = {"rsa"}});
    Host host = sshd.host();
    host.host_keys = {make_key(sshd.file("other"))};
    CHECK_THAT(refusal(host, sshd.options(runner)), Contains("no host key of a pinned type (ssh-ed25519)"));
    host.host_keys = {sshd.host_key("rsa")};
    CHECK(hello_through(host, sshd.options(runner)) == "test");
  }
}

TEST_CASE("what is no host key, address, login or jump is refused before anything is looked up", "[ssh]") {
  const TestSshd sshd;
  const ConnectOptions options = sshd.options(runner);
  Host host = sshd.host();
  SECTION("host key") {
    host.host_keys = {GENERATE("", "ssh-ed25519", "ssh-ed25519 nonsense", "AAAAC3NzaC1lZDI1NTE5", "ssh-dss AAAAB3")};
    CHECK_THAT(refusal(host, options), Contains("expected hostKey as"));
  }
  SECTION("address") {
    host.address = GENERATE("-oProxyCommand=id", "a b", "a;id", "user@host", "$(id)", "a\nb", "a/b");
    CHECK_THAT(refusal(host, options), Contains("expected a host name"));
  }
  SECTION("login") {
    host.user = GENERATE("", "-l", "root;id", "a b", "a'b");
    CHECK_THAT(refusal(host, options), Contains("expected a login name"));
  }
  SECTION("jump") {
    host.jump = GENERATE("root@127.0.0.1:x", "root@-v", "root@[::1]x", "a b@c", "root@:22");
    CHECK_THAT(refusal(host, options), Contains("expected a"));
  }
  // The server's own readiness probe is one connection, logged sooner or later.
  const std::string log = sshd.log();
  CHECK(log.find("Connection from") == log.rfind("Connection from"));
}

TEST_CASE("a key that cannot do is told with its reason, and no password is tried", "[ssh]") {
  const TestSshd sshd;
  ConnectOptions options = sshd.options(runner);
  const Host host = sshd.host();
  SECTION("readable by others") {
    chmod(options.identity.c_str(), 0644);
    CHECK_THAT(refusal(host, options), Contains("others may read it"));
  }
  SECTION("not there") {
    options.identity = sshd.file("nowhere");
    CHECK_THAT(refusal(host, options), Contains("not there"));
  }
  SECTION("not accepted") {
    options.identity = sshd.file("stranger");
    make_key(options.identity);
    const std::string error = refusal(host, options);
    CHECK_THAT(error, Contains("cannot log in as \"root\""));
    CHECK_THAT(error, Contains("stranger\": refused"));
  }
  SECTION("with a passphrase") {
    options.identity = sshd.file("locked");
    run_program({"ssh-keygen", "-q", "-t", "ed25519", "-N", "secret phrase", "-f", options.identity});
    CHECK_THAT(refusal(host, options), Contains("passphrase"));
  }
  CHECK(sshd.log().find("password") == std::string::npos);
}

namespace {

/// ssh-agent of the test, and the environment that points to it.
class TestAgent {
 public:
  explicit TestAgent(const std::string& socket) {
    const std::string said = run_program({"ssh-agent", "-s", "-a", socket});
    pid_ = std::stoi(said.substr(said.find("SSH_AGENT_PID=") + 14));
    setenv("SSH_AUTH_SOCK", socket.c_str(), 1);
  }
  ~TestAgent() {
    unsetenv("SSH_AUTH_SOCK");
    kill(pid_, SIGTERM);
  }

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("the agent's keys log in, and an agent that never answers costs no more than the deadline", "[ssh]") {
  const TestSshd sshd;
  ConnectOptions options = sshd.options(runner);
  options.identity.clear();
  options.agent = true;
  setenv("HOME", sshd.file("").c_str(), 1);  // no usual key files there
  SECTION("with the key") {
    const TestAgent agent(sshd.file("agent"));
    run_program({"ssh-add", "-q", sshd.identity()});
    CHECK(hello_through(sshd.host(), options) == "test");
  }
  SECTION("without the key") {
    const TestAgent agent(sshd.file("agent"));
    CHECK_THAT(refusal(sshd.host(), options), Contains("agent: "));
  }
  SECTION("without an agent") { CHECK_THAT(refusal(sshd.host(), options), Contains("SSH_AUTH_SOCK is not set")); }
  SECTION("silent") {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    sshd.file("hung").copy(name.sun_path, sizeof name.sun_path - 1);
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
    REQUIRE(listen(listener, 5) == 0);
    setenv("SSH_AUTH_SOCK", name.sun_path, 1);
    const auto begun = std::chrono::steady_clock::now();
    const std::string error = error_of([&] { connect(sshd.host(), options, in_ms(1500)); });
    CHECK_THAT(error, Contains("timed out logging in with the agent"));
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(8));
    unsetenv("SSH_AUTH_SOCK");
    close(listener);
  }
}

TEST_CASE("a server that accepts and then says nothing costs no more than the deadline", "[ssh]") {
  const TestSshd sshd;
  const Frozen frozen(sshd.pid());
  const auto begun = std::chrono::steady_clock::now();
  const std::string error = error_of([&] { connect(sshd.host(), sshd.options(runner), in_ms(1500)); });
  CHECK_THAT(error, Contains("timed out"));
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(8));
}

TEST_CASE("a port where nobody listens is told as refused", "[ssh]") {
  Host host;
  {
    const TestSshd sshd;
    host = sshd.host();
  }
  const std::string error = refusal(host, {.runner = runner});
  CHECK_THAT(error, Contains("Connection refused"));
  CHECK_THAT(error, Contains("root@127.0.0.1:"));
}

TEST_CASE("a connection is told to notice within twenty seconds that the other side is gone", "[ssh]") {
  const TestSshd sshd;
  const Fd fd = connect_tcp("localhost", sshd.port(), in_ms(20'000));
  const auto option = [&fd](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    REQUIRE(getsockopt(fd.get(), level, name, &value, &size) == 0);
    return value;
  };
  CHECK(option(SOL_SOCKET, SO_KEEPALIVE) != 0);
  CHECK(option(IPPROTO_TCP, TCP_NODELAY) != 0);
  CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) + option(IPPROTO_TCP, TCP_KEEPINTVL) * option(IPPROTO_TCP, TCP_KEEPCNT) <=
        20);
  CHECK(option(IPPROTO_TCP, TCP_USER_TIMEOUT) <= 20'000);
}

TEST_CASE("connecting leaves no descriptor open, whether it worked or not", "[ssh]") {
  const TestSshd sshd;
  const auto open_files = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  Host wrong = sshd.host();
  wrong.host_keys = {make_key(sshd.file("other"))};
  hello_through(sshd.host(), sshd.options(runner));
  const auto before = open_files();
  hello_through(sshd.host(), sshd.options(runner));
  refusal(wrong, sshd.options(runner));
  CHECK(open_files() == before);
}

}  // namespace holdfast
