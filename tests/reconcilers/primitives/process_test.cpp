#include "machine.hpp"

#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace holdfast {

using Catch::Matchers::Contains;
using namespace std::chrono_literals;

namespace {

/// Waits for a process that isn't ours to end.
bool ends(pid_t pid) {
  for (int i = 0; i < 500; ++i) {
    if (::kill(pid, 0) != 0) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

}  // namespace

TEST_CASE("a program gets its input and gives both streams and its exit code") {
  const auto system = make_linux_system("/");
  const std::string big(3'000'000, 'z');
  const Output output =
      system->run({.argv = {"sh", "-c", "cat; echo oops >&2; exit 3"}, .input = big, .output_bytes = 4 << 20});
  CHECK(output.exit_code == 3);
  CHECK(output.out == big);
  CHECK(output.err == "oops\n");
  CHECK_FALSE(output.ok());
}

TEST_CASE("of endless output the head and the tail are kept") {
  const auto system = make_linux_system("/");
  const Output output = system->run(
      {.argv = {"sh", "-c", "echo first; head -c 5000000 /dev/zero; echo; echo last"}, .output_bytes = 1000});
  CHECK(output.ok());
  CHECK(output.out.size() < 1100);
  CHECK(output.out.starts_with("first\n"));
  CHECK(output.out.ends_with("last\n"));
  CHECK_THAT(output.out, Contains("bytes left out"));
}

TEST_CASE("output is told while the program runs") {
  const auto system = make_linux_system("/");
  std::string told;
  Command command{.argv = {"sh", "-c", "echo one; echo two >&2"}};
  command.on_output = [&](std::string_view text) { told += text; };
  CHECK(system->run(command).ok());
  CHECK_THAT(told, Contains("one\n") && Contains("two\n"));
}

TEST_CASE("at the deadline the whole process group ends, also what ignores SIGTERM") {
  const auto system = make_linux_system("/");
  const Output output = system->run(
      {.argv = {"sh", "-c", "trap '' TERM; sleep 600 & echo $!; while :; do sleep 0.1; done"}, .deadline = 300ms});
  CHECK(output.timed_out);
  CHECK(output.exit_code == 128 + SIGKILL);
  CHECK(ends(std::stoi(output.out)));
}

TEST_CASE("what a program leaves running with our pipes in hand does not hold us up") {
  const auto system = make_linux_system("/");
  const auto begin = std::chrono::steady_clock::now();
  const Output output = system->run({.argv = {"sh", "-c", "sleep 600 & echo $!"}});
  CHECK(output.ok());
  CHECK(std::chrono::steady_clock::now() - begin < 30s);
  CHECK(ends(std::stoi(output.out)));
}

TEST_CASE("a program that cannot be started is a result") {
  const auto system = make_linux_system("/");
  for (const Command& command : {Command{.argv = {"no-such-program"}}, Command{.argv = {"/etc/passwd"}},
                                 Command{.argv = {"true"}, .folder = "/no/such"}}) {
    const Output output = system->run(command);
    CHECK(output.exit_code == -1);
    CHECK_THAT(describe_failure(command, output), Contains("cannot start"));
  }
  CHECK_THROWS_AS(system->run({}), Error);
}

TEST_CASE("a program has a clean environment and none of our files") {
  const auto system = make_linux_system("/");
  ::setenv("HOLDFAST_LEAK", "1", 1);
  const int open_file = ::open("/etc/passwd", O_RDONLY);
  const Output output = system->run({.argv = {"sh", "-c", "env; ls /proc/$$/fd"}, .environment = {{"A", "b c"}}});
  ::close(open_file);
  CHECK(output.out.find("HOLDFAST_LEAK") == std::string::npos);
  CHECK_THAT(output.out, Contains("A=b c\n") && Contains("PATH=/usr/local/sbin:"));
  CHECK(output.out.ends_with("0\n1\n2\n"));
}

TEST_CASE("a program runs as the user it is given, with that user's groups only") {
  if (!runs_as_root()) return;
  TestMachine machine;
  const Output output = machine.system->run(
      {.argv = {"sh", "-c", "id -u; id -G; echo $HOME $USER; pwd"}, .user = "alice", .folder = "/srv"});
  INFO(output.err);
  CHECK(output.out == "1001\n1001 50 1002\n/home/alice alice\n" + machine.root + "/srv\n");
  CHECK_THROWS_WITH(machine.system->run({.argv = {"true"}, .user = "carol"}), Contains("no such user"));
}

TEST_CASE("a failure is told with the last lines of what the program said") {
  const auto system = make_linux_system("/");
  const Command command{.argv = {"sh", "-c", "seq 100 >&2; exit 4"}};
  const std::string text = describe_failure(command, system->run(command));
  CHECK_THAT(text, Contains("exit 4: 81\n82\n") && Catch::Matchers::EndsWith("100"));
}

}  // namespace holdfast
