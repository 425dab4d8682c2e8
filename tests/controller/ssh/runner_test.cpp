#include "test_sshd.hpp"

#include <controller/ssh/runner_client.hpp>
#include <controller/ssh/runner_program.hpp>
#include <manifests/digest.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace holdfast {

namespace {

using Catch::Contains;

const std::string runner = TEST_RUNNER;

std::string installed(const TestSshd& sshd) {
  return sshd.inside("/var/lib/holdfast/bin/" + sha256(read_text(runner)) + "/holdfast-host");
}

ino_t inode(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

/// By renaming: the runner of the session before may still be ending.
void put_in_place(const TestSshd& sshd, const std::string& bytes) {
  write_text(installed(sshd) + ".new", bytes, 0700);
  std::filesystem::rename(installed(sshd) + ".new", installed(sshd));
}

RunnerClient client_of(const Host& host, const ConnectOptions& options) {
  return RunnerClient(connect(host, options, in_ms(20'000)));
}

std::string refusal(const Host& host, const ConnectOptions& options) {
  return error_of([&] { client_of(host, options).status(in_ms(20'000)); });
}

/// In the file that is there, which gets back the time of its last change of content.
void damage_in_place(const std::string& path) {
  struct stat info {};
  REQUIRE(stat(path.c_str(), &info) == 0);
  int fd = -1;
  for (int tries = 0; fd < 0 && tries < 1000; ++tries) {  // the runner of the session before may still be ending
    fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) usleep(10'000);
  }
  REQUIRE(fd >= 0);
  CHECK(pwrite(fd, "x", 1, info.st_size - 1) == 1);
  const timespec times[] = {info.st_atim, info.st_mtim};
  CHECK(futimens(fd, times) == 0);
  close(fd);
}

/// A copy of the test runner that says of itself to be for another machine.
std::string foreign_runner(const std::string& path) {
  std::string bytes = read_text(runner);
  bytes[18] = static_cast<char>(183);
  write_text(path, bytes, 0755);
  return path;
}

}  // namespace

TEST_CASE("the runner is put on a host once, and started without a question after that", "[ssh]") {
  const TestSshd sshd;
  client_of(sshd.host(), sshd.options(runner)).status(in_ms(20'000));
  REQUIRE(read_text(installed(sshd)) == read_text(runner));
  const ino_t first = inode(installed(sshd));
  struct stat info {};
  REQUIRE(stat(installed(sshd).c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0700U);
  CHECK(info.st_uid == 0);
  client_of(sshd.host(), sshd.options(runner)).status(in_ms(20'000));
  CHECK(inode(installed(sshd)) == first);
}

TEST_CASE("a damaged runner on a host is found before it is started, and replaced", "[ssh]") {
  const TestSshd sshd;
  client_of(sshd.host(), sshd.options(runner)).status(in_ms(20'000));
  SECTION("other bytes") {
    std::string bytes = read_text(runner);
    bytes.back() = static_cast<char>(bytes.back() + 1);
    put_in_place(sshd, bytes);
  }
  SECTION("another byte, of the same age") { damage_in_place(installed(sshd)); }
  SECTION("cut off") { put_in_place(sshd, read_text(runner).substr(0, 1000)); }
  SECTION("another program") { put_in_place(sshd, "#!/bin/sh\ntouch /run/owned\n"); }
  client_of(sshd.host(), sshd.options(runner)).status(in_ms(20'000));
  CHECK(read_text(installed(sshd)) == read_text(runner));
  CHECK_FALSE(std::filesystem::exists(sshd.inside("/run/owned")));
  const std::filesystem::directory_iterator all(std::filesystem::path(installed(sshd)).parent_path());
  CHECK(std::distance(begin(all), end(all)) == 1);
}

TEST_CASE("a runner that goes away during a session is put there again, and verified again", "[ssh]") {
  const TestSshd sshd;
  RunnerClient client = client_of(sshd.host(), sshd.options(runner));
  client.status(in_ms(20'000));
  const auto said = [&client] {
    auto stream = client.dial("127.0.0.1:80", in_ms(20'000));
    return stream->read(1024, in_ms(20'000));
  };
  CHECK_THAT(said(), Contains("127.0.0.1:80"));
  std::filesystem::remove(installed(sshd));
  CHECK_THAT(said(), Contains("127.0.0.1:80"));
  CHECK(read_text(installed(sshd)) == read_text(runner));
}

TEST_CASE("what was written before the runner was there reaches it after the upload", "[ssh]") {
  const TestSshd sshd;
  RunnerClient client = client_of(sshd.host(), sshd.options(runner));
  const std::string bytes(3'000'000, 'x');  // more than goes out unanswered
  client.send(
      {sha256(bytes)}, [&](const std::string&) { return bytes; }, in_ms(30'000));
  CHECK(client.status(in_ms(30'000)).int_or("blob_bytes", 0) == 3'000'000);
}

TEST_CASE("a runner for another machine is refused before it is put there", "[ssh]") {
  const TestSshd sshd;
  const std::string error = refusal(sshd.host(), sshd.options(foreign_runner(sshd.file("foreign"))));
  CHECK_THAT(error, Contains("is a machine of type x86_64"));
  CHECK_THAT(error, Contains("is for aarch64"));
  CHECK_FALSE(std::filesystem::exists(sshd.inside("/var/lib/holdfast")));
}

TEST_CASE("a host that cannot take the runner says why", "[ssh]") {
  const TestSshd sshd;
  write_text(sshd.inside("/var/lib/holdfast"), "a file where the folder should be", 0644);
  const std::string error = refusal(sshd.host(), sshd.options(runner));
  CHECK_THAT(error, Contains("cannot put the host runner into /var/lib/holdfast"));
  CHECK_THAT(error, Contains("Not a directory"));
}

TEST_CASE("a runner that ends without an answer is told with its last words", "[ssh]") {
  const TestSshd sshd;
  RunnerClient client = client_of(sshd.host(), sshd.options(runner));
  const std::string error = error_of([&] { client.run({"exit", "7"}, "", 1000, in_ms(20'000)); });
  CHECK_THAT(error, Contains("gone wrong"));
  CHECK_THAT(error, Contains("exit status 7"));
  CHECK_FALSE(client.alive());
}

TEST_CASE("a login shell that prints things does not disturb", "[ssh]") {
  const TestSshd sshd({.config = "ForceCommand echo Welcome to this host; echo -n no line end; "
                                 "echo something >&2; eval \"$SSH_ORIGINAL_COMMAND\"\n"});
  CHECK(client_of(sshd.host(), sshd.options(runner)).status(in_ms(20'000)).is_map());
}

TEST_CASE("a login that may not run commands is told with what the host said", "[ssh]") {
  const TestSshd sshd({.config = "ForceCommand echo this account only reads mail; exit 5\n"});
  const std::string error = refusal(sshd.host(), sshd.options(runner));
  CHECK_THAT(error, Contains("this account only reads mail"));
  CHECK_THAT(error, Contains("exit status 5"));
}

TEST_CASE("a login that is not root runs the runner through sudo", "[ssh]") {
  if (access("/usr/bin/sudo", X_OK) != 0) {
    WARN("sudo is not installed");
    return;
  }
  SECTION("allowed") {
    const TestSshd sshd({.sudoers = "Defaults use_pty\ndeploy ALL=(root) NOPASSWD: ALL\n"});
    Host host = sshd.host();
    host.user = "deploy";
    RunnerClient client = client_of(host, sshd.options(runner));
    const std::string bytes(2'000'000, '\x03');  // what a terminal would take for an interrupt
    client.send(
        {sha256(bytes)}, [&](const std::string&) { return bytes; }, in_ms(30'000));
    const Value status = client.status(in_ms(30'000));
    CHECK(status.int_or("blob_bytes", 0) == 2'000'000);
    struct stat info {};
    REQUIRE(stat(("/proc/" + std::to_string(status.at("pid").as_int())).c_str(), &info) == 0);
    CHECK(info.st_uid == 0);
  }
  SECTION("not allowed") {
    const TestSshd sshd({.sudoers = GENERATE("", "deploy ALL=(root) ALL\n")});
    Host host = sshd.host();
    host.user = "deploy";
    const std::string error = refusal(host, sshd.options(runner));
    CHECK_THAT(error, Contains("deploy ALL=(root) NOPASSWD: ALL"));
    CHECK_THAT(error, Contains("/etc/sudoers.d/holdfast"));
  }
}

TEST_CASE("four megabytes of errors do not stop a runner", "[ssh]") {
  const TestSshd sshd;
  RunnerClient client = client_of(sshd.host(), sshd.options(runner));
  CHECK(client.run({"stderr", "4000000"}, "", 1000, in_ms(30'000)).output == "[stderr][4000000]");
}

TEST_CASE("eight megabytes of content arrive whole", "[ssh]") {
  const TestSshd sshd({.config = "RekeyLimit 1M\n"});
  RunnerClient client = client_of(sshd.host(), sshd.options(runner));
  std::string bytes(8U << 20U, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 13U);
  client.send(
      {sha256(bytes)}, [&](const std::string&) { return bytes; }, in_ms(60'000));
  CHECK(client.status(in_ms(60'000)).int_or("blob_bytes", 0) == 8 << 20);
}

TEST_CASE("a runner that does not answer costs no more than the deadline, and its late answer is never read", "[ssh]") {
  const TestSshd sshd;
  RunnerClient client = client_of(sshd.host(), sshd.options(runner));
  client.status(in_ms(20'000));
  SECTION("silent") {
    CHECK_THAT(error_of([&] { client.run({"silence"}, "", 1000, in_ms(300)); }), Contains("timed out"));
  }
  SECTION("frozen host") {
    const std::vector<pid_t> sessions = sshd.sessions();
    REQUIRE(sessions.size() == 1);
    const Frozen frozen(sessions.front());
    CHECK_THAT(error_of([&] { client.status(in_ms(300)); }), Contains("timed out"));
    CHECK_THAT(error_of([&] { client.dial("127.0.0.1:1", in_ms(300)); }), Contains("timed out"));
  }
  CHECK_FALSE(client.alive());
  CHECK_THAT(error_of([&] { client.status(in_ms(20'000)); }), Contains("connect again"));
}

TEST_CASE("a session that was cut is known to be lost, also while nobody asks", "[ssh]") {
  const TestSshd sshd;
  RunnerClient client = client_of(sshd.host(), sshd.options(runner));
  const Value status = client.status(in_ms(20'000));
  REQUIRE(client.alive());
  SECTION("the connection") { kill(sshd.sessions().front(), SIGKILL); }
  SECTION("the runner alone") { kill(static_cast<pid_t>(status.at("pid").as_int()), SIGKILL); }
  for (int i = 0; i < 1000 && client.alive(); ++i) usleep(10'000);
  CHECK_FALSE(client.alive());
  CHECK(error_of([&] { client.status(in_ms(20'000)); }) != "");
}

TEST_CASE("several streams share one session", "[ssh]") {
  const TestSshd sshd;
  RunnerClient client = client_of(sshd.host(), sshd.options(runner));
  const auto one = client.dial("127.0.0.1:5000", in_ms(20'000));
  const auto two = client.dial("/run/with space.sock", in_ms(20'000));
  client.status(in_ms(20'000));
  one->write("GET /", in_ms(20'000));
  const auto all_of = [](Stream& stream, std::size_t size) {
    std::string all;
    while (all.size() < size) {
      const std::string bytes = stream.read(1000, in_ms(20'000));
      if (bytes.empty()) break;
      all += bytes;
    }
    return all;
  };
  CHECK(all_of(*one, 21) == "+127.0.0.1:5000\nGET /");
  CHECK(all_of(*two, 22) == "+/run/with space.sock\n");
  two->close_input();
  CHECK(two->read(1000, in_ms(20'000)).empty());
  CHECK(client.alive());
}

TEST_CASE("what a host sends while nobody reads waits in order, beyond what we hold", "[ssh]") {
  const TestSshd sshd;
  RunnerClient client = client_of(sshd.host(), sshd.options(runner));
  const auto echo = client.dial("x", in_ms(30'000));
  std::string bytes(5U << 20U, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 13U);
  echo->write(bytes, in_ms(60'000));
  for (int i = 0; i < 200; ++i) client.status(in_ms(60'000));  // meanwhile the other stream's answer comes in
  std::string back;
  while (back.size() < bytes.size() + 3) {
    const std::string piece = echo->read(1U << 20U, in_ms(60'000));
    REQUIRE_FALSE(piece.empty());
    back += piece;
  }
  CHECK((back == "+x\n" + bytes));
}

TEST_CASE("an argument that would need more than plain quotes is refused", "[ssh]") {
  const std::string digest = sha256("x");
  for (const char* bad : {"a'b", "a\\b", "a!b", "a\nb", "\x1b", "\xc3\xa4"}) {
    CHECK_THROWS_AS(start_command(digest, {"dial", bad}, false), Error);
  }
  CHECK_THAT(start_command(digest, {"dial", "$(id) `id` \"x\""}, false), Catch::EndsWith(" 'dial' '$(id) `id` \"x\"'"));
  CHECK_THROWS_AS(start_command("../../evil", {"serve"}, false), Error);
}

TEST_CASE("a host is reached through jump hosts, each with its own key checked", "[ssh]") {
  const TestSshd target;
  const TestSshd outer;
  const TestSshd inner;
  Host host = target.host();
  host.jump = "root@127.0.0.1:" + std::to_string(outer.port());
  const auto jumps = GENERATE(1, 2);
  if (jumps == 2) host.jump += ",root@127.0.0.1:" + std::to_string(inner.port());
  ConnectOptions options = target.options(runner);
  for (const TestSshd* jump : {&outer, &inner}) {
    write_text(jump->file("authorized_keys"), read_text(target.identity() + ".pub"), 0644);
  }
  SECTION("known jumps") {
    write_text(options.known_hosts, outer.known_hosts_line() + inner.known_hosts_line());
    RunnerClient client = client_of(host, options);
    const std::string bytes(6U << 20U, 'j');
    client.send(
        {sha256(bytes)}, [&](const std::string&) { return bytes; }, in_ms(60'000));
    CHECK(client.status(in_ms(60'000)).int_or("blob_bytes", 0) == 6 << 20);
    CHECK(target.sessions().size() == 1);
    CHECK(outer.sessions().size() == 1);
    SECTION("and a jump that is lost is noticed") {
      kill(outer.sessions().front(), SIGKILL);
      CHECK(error_of([&] { client.status(in_ms(20'000)); }) != "");
      CHECK_FALSE(client.alive());
    }
  }
  SECTION("an unknown jump") {
    const std::string error = refusal(host, options);
    CHECK_THAT(error, Contains("is not known"));
    CHECK_THAT(error, Contains(outer.known_hosts_line().substr(0, 40)));
    CHECK(target.sessions().empty());
  }
  SECTION("another host behind the jump") {
    write_text(options.known_hosts, outer.known_hosts_line() + inner.known_hosts_line());
    host.host_keys = {make_key(target.file("other"))};
    CHECK_THAT(refusal(host, options), Contains("not the expected one"));
  }
}

}  // namespace holdfast
