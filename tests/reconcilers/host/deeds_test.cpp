// Who did it, from what a host's logs say.
#include <reconcilers/host/deeds.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace holdfast;

namespace {

constexpr std::int64_t noon_ms = 1'795'262'400'000;

std::string line(const std::string& program, int pid, std::int64_t second, const std::string& message,
                 const std::string& login_uid = "4294967295") {
  return R"({"_COMM":")" + program + R"(","_PID":")" + std::to_string(pid) + R"(","__REALTIME_TIMESTAMP":")" +
         std::to_string((noon_ms + second * 1000) * 1000) + R"(","_AUDIT_LOGINUID":")" + login_uid +
         R"(","MESSAGE":")" + message + "\"}\n";
}

std::string sudo(int pid, std::int64_t from, std::int64_t to, const std::string& user, const std::string& command) {
  return line("sudo", pid, from, "   " + user + " : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=" + command) +
         line("sudo", pid, from, "pam_unix(sudo:session): session opened for user root(uid=0) by " + user +
                                     "(uid=1000)") +
         line("sudo", pid, to, "pam_unix(sudo:session): session closed for user root");
}

std::string login(int pid, std::int64_t from, const std::string& user, const std::string& address,
                  const std::string& key) {
  return line("sshd", pid, from, "Accepted publickey for " + user + " from " + address + " port 4242 ssh2: ED25519 " +
                                     key) +
         line("sshd", pid, from, "pam_unix(sshd:session): session opened for user " + user + "(uid=1000) by (uid=0)");
}

std::string who(const std::string& name, std::int64_t second, const std::string& journal,
                const std::string& type = "file") {
  return culprit_of({.type = type, .name = name, .at_ms = noon_ms + second * 1000}, deeds_of_journal(journal));
}

}  // namespace

TEST_CASE("a sudo command that names the thing is told, with nothing else of it", "[deeds]") {
  CHECK(who("/etc/nginx/nginx.conf", 60, sudo(7, 0, 90, "alice", "/usr/bin/vi /etc/nginx/nginx.conf")) ==
        "alice (uid 1000, sudo vi /etc/nginx/nginx.conf)");
  CHECK(who("/etc/app.conf", 0, sudo(7, 0, 0, "alice", "/usr/bin/mysql -pHush --file /etc/app.conf")) ==
        "alice (uid 1000, sudo mysql … /etc/app.conf)");
  CHECK(who("nginx.service", 1, sudo(7, 0, 0, "alice", "/usr/bin/systemctl stop nginx"), "unit") ==
        "alice (uid 1000, sudo systemctl stop nginx)");
  CHECK(who("/etc/motd", 0, sudo(7, 0, 0, "alice", "/usr/bin/sh -c echo secret > /etc/motd")) ==
        "alice (uid 1000, sudo sh … /etc/motd)");
}

TEST_CASE("of several commands the one that names the thing counts, and none that was over", "[deeds]") {
  const std::string both = sudo(7, 0, 90, "alice", "/usr/bin/vi /etc/motd") + sudo(8, 30, 40, "bob", "/usr/bin/top");
  CHECK(who("/etc/motd", 35, both) == "alice (uid 1000, sudo vi /etc/motd)");
  CHECK(who("/etc/other", 35, sudo(8, 30, 40, "bob", "/usr/bin/bash")) == "bob (uid 1000, sudo bash)");
  CHECK(who("/etc/motd", 200, both) == "unknown");
  CHECK(who("/etc/motd", -10, both) == "unknown");
}

TEST_CASE("who is logged in is named where nothing better is known, and all of them", "[deeds]") {
  const std::string one = login(7, 0, "alice", "10.0.0.5", "SHA256:a");
  CHECK(who("/etc/motd", 50, one) == "alice (uid 1000, logged in from 10.0.0.5)");
  CHECK(who("/etc/motd", 50, one + login(8, 10, "bob", "10.0.0.6", "SHA256:b")) ==
        "one of alice (uid 1000, logged in from 10.0.0.5), bob (uid 1000, logged in from 10.0.0.6)");
  CHECK(who("/etc/motd", 50, "") == "unknown");
  CHECK(culprit_of({.type = "file", .name = "/etc/motd", .at_ms = noon_ms, .owner = "bob (uid 1001)"}, {}) ==
        "unknown; it belongs to bob (uid 1001)");
}

TEST_CASE("the controller's own logins and commands are nobody's", "[deeds]") {
  const std::string own = login(7, 0, "root", "10.0.0.1", "SHA256:c");
  const std::string again = login(8, 10, "root", "10.0.0.1", "SHA256:c");
  const std::string person = login(9, 20, "root", "10.0.0.1", "SHA256:p");
  const std::string runner = sudo(10, 0, 500, "deploy", "/var/lib/holdfast/bin/abc serve");
  const auto deeds = without_own(deeds_of_journal(own + again + person + runner), {7, 1});
  REQUIRE(deeds.size() == 1);
  CHECK(deeds[0].pid == 9);
}

TEST_CASE("a package run is told with who asked for it", "[deeds]") {
  ::setenv("TZ", "UTC", 1);
  const auto deeds = deeds_of_apt(
      "\nStart-Date: 2026-11-21  12:00:00\nCommandline: apt-get remove --yes nginx\n"
      "Requested-By: alice (1000)\nRemove: nginx:amd64 (1.22)\nEnd-Date: 2026-11-21  12:00:05\n");
  REQUIRE(deeds.size() == 1);
  CHECK(deeds[0].begin_ms == noon_ms);
  const Changed changed{.type = "package", .name = "nginx", .at_ms = noon_ms + 5'000};
  CHECK(culprit_of(changed, deeds) == "alice (uid 1000, apt-get remove … nginx)");
}

TEST_CASE("logs that make no sense are passed over", "[deeds]") {
  CHECK(deeds_of_journal("").empty());
  CHECK(deeds_of_journal("{\n[]\n{\"MESSAGE\":[1,2]}\n{\"_PID\":\"x\"}\n").empty());
  CHECK(deeds_of_apt("Requested-By: (\nEnd-Date: tomorrow\n").empty());
  CHECK(who("/etc/motd", 0, sudo(7, 0, 0, "al\\u001b[31mice", "/usr/bin/vi /etc/motd")).find('\x1b') ==
        std::string::npos);
}
