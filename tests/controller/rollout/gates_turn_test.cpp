// Commits that wait at gates, on real hosts below folders.
#include "scene.hpp"

#include <controller/audit/queue.hpp>
#include <controller/gates/override.hpp>

using namespace holdfast;

namespace {

/// A gate that is open while `flag` exists.
std::string flag_gate(const Scene& fleet, const std::string& on, const std::string& flag = "flag") {
  return "  requires: [{command: [test, -e, " + (fleet.folder() / flag).string() + "], on: " + on + "}]\n";
}

void open(const Scene& fleet, const std::string& flag = "flag") { std::ofstream(fleet.folder() / flag) << "yes"; }

std::string commit(Scene& fleet, const std::string& gates, const std::string& text) {
  fleet.write("environment.yaml", fleet.environment("main") + gates);
  fleet.write("motd.yaml", motd(text));
  return fleet.commit(text);
}

}  // namespace

TEST_CASE("a commit waits until its gate is open, drift is put right meanwhile", "[turn][gates]") {
  Scene fleet;
  commit(fleet, "", "one");
  REQUIRE(fleet.result() == HostResult::deployed);
  const std::string second = commit(fleet, flag_gate(fleet, "controller"), "two");
  CHECK(fleet.result() == HostResult::waiting);
  CHECK(fleet.read("/etc/motd") == "one\n");
  REQUIRE(fleet.store().waits("test").size() == 1);
  CHECK(fleet.store().waits("test")[0].commit == second);
  CHECK(fleet.store().host("test", "a")->state == "waiting");
  std::ofstream(fleet.root("a").string() + "/etc/motd") << "vandal";
  CHECK(fleet.result() == HostResult::waiting);
  CHECK(fleet.read("/etc/motd") == "one\n");
  open(fleet);
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "two\n");
  CHECK(fleet.store().waits("test").empty());
  CHECK(fleet.said().find("waits no longer") != std::string::npos);
}

TEST_CASE("a host that has nothing yet waits, too", "[turn][gates]") {
  Scene fleet;
  commit(fleet, flag_gate(fleet, "controller"), "one");
  CHECK(fleet.result() == HostResult::waiting);
  CHECK(fleet.read("/etc/motd").empty());
  open(fleet);
  CHECK(fleet.result() == HostResult::deployed);
}

TEST_CASE("a gate of a host keeps that host only", "[turn][gates]") {
  Scene fleet({"a", "b"});
  fleet.write("motd.yaml", motd("one"));
  commit(fleet, "", "one");
  REQUIRE(fleet.result() == HostResult::deployed);
  // Only b has that folder; what is not there can not be asked, and stays closed.
  const std::string gate = "  requires: [{diskFree: 1MiB, path: /only-b}]\n";
  fs::create_directories(fleet.root("b") / "only-b");
  commit(fleet, gate, "two");
  const EnvironmentReport report = fleet.turn();
  REQUIRE(report.hosts.size() == 2);
  CHECK(report.hosts[0].result == HostResult::waiting);
  CHECK(report.hosts[1].result == HostResult::deployed);
  CHECK(fleet.read("/etc/motd", "a") == "one\n");
  CHECK(fleet.read("/etc/motd", "b") == "two\n");
  REQUIRE(fleet.store().waits("test").size() == 1);
  CHECK(fleet.store().waits("test")[0].host == "a");
  fs::create_directories(fleet.root("a") / "only-b");
  CHECK(fleet.result("a") == HostResult::deployed);
  CHECK(fleet.store().waits("test").empty());
}

TEST_CASE("what has begun is not asked again for its other hosts, another commit is", "[turn][gates]") {
  Scene fleet({"a", "b"});
  commit(fleet, "", "one");
  REQUIRE(fleet.result() == HostResult::deployed);
  // Host a takes it and the gate closes behind it; b is kept back by its own gate.
  const std::string gates = "  requires:\n    - {command: [test, -e, " + (fleet.folder() / "flag").string() +
                            "]}\n    - {diskFree: 1MiB, path: /there}\n";
  fs::create_directories(fleet.root("a") / "there");
  open(fleet);
  commit(fleet, gates, "two");
  REQUIRE(fleet.result("a") == HostResult::deployed);
  fs::remove(fleet.folder() / "flag");
  fs::create_directories(fleet.root("b") / "there");
  CHECK(fleet.result("b") == HostResult::deployed);
  commit(fleet, gates, "three");
  CHECK(fleet.result("a") == HostResult::waiting);
}

TEST_CASE("a freeze beats an open gate; a rollback by hand is not gated", "[turn][gates]") {
  Scene fleet;
  const std::string first = commit(fleet, "", "one");
  REQUIRE(fleet.result() == HostResult::deployed);
  commit(fleet, "", "two");
  REQUIRE(fleet.result() == HostResult::deployed);
  const std::string freeze = "  freezes: [{from: 2020-01-01, to: 2120-01-01, reason: never again}]\n";
  commit(fleet, freeze, "three");
  CHECK(fleet.result() == HostResult::waiting);
  CHECK(fleet.store().host("test", "a")->detail.find("never again") != std::string::npos);
  CHECK(fleet.run_program("rollback test --to " + first + " --reason back") == 0);
  CHECK(fleet.read("/etc/motd") == "one\n");
}

TEST_CASE("an override needs a reason, lets one commit past what is closed, and is told", "[turn][gates]") {
  Scene fleet;
  commit(fleet, "", "one");
  REQUIRE(fleet.result() == HostResult::deployed);
  const std::string gates = "  freezes: [{from: 2020-01-01, to: 2120-01-01, reason: never}]\n";
  commit(fleet, gates, "two");
  REQUIRE(fleet.result() == HostResult::waiting);
  CHECK(fleet.run_program("override test") == 1);
  CHECK(fleet.output().find("needs a reason") != std::string::npos);
  CHECK(fleet.run_program("override test --reason 'the site is down' --for 20d") == 1);
  CHECK(fleet.run_program("override test --reason 'the site is down'") == 0);
  CHECK(fleet.run_program("status") == 3);
  CHECK(fleet.output().find("gates are open") != std::string::npos);
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "two\n");
  CHECK(fleet.said().find("the site is down; past: frozen until") != std::string::npos);
  CHECK(fleet.store().deployments("test", "a", 1).at(0).requested_by.find("the site is down") != std::string::npos);
  commit(fleet, gates, "three");
  CHECK(fleet.result() == HostResult::waiting);
  CHECK(fleet.run_program("override test --end") == 0);
  CHECK(fleet.run_program("override test --end") == 1);
}

TEST_CASE("that an override is used is an entry of the audit, once, with what it let the commit past",
          "[turn][gates]") {
  Scene fleet;
  const auto used = [&fleet] {
    std::vector<AuditEntry> found;
    for (const WaitingEntry& one : AuditQueue::open(fleet.folder() / "state/state.db")->waiting(100)) {
      if (one.entry.outcome == "override used") found.push_back(one.entry);
    }
    return found;
  };
  commit(fleet, "", "one");
  REQUIRE(fleet.result() == HostResult::deployed);
  std::string past;
  SECTION("gates of the environment") {
    commit(fleet, "  freezes: [{from: 2020-01-01, to: 2120-01-01, reason: never}]\n", "two");
    past = "frozen until";
  }
  SECTION("gates of a host") {
    commit(fleet, "  requires: [{diskFree: 1MiB, path: /nowhere}]\n", "two");
    past = "a: ";
  }
  REQUIRE(fleet.result() == HostResult::waiting);
  CHECK(fleet.run_program("override test --reason 'the site is down'") == 0);
  CHECK(used().empty());
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.result() == HostResult::unchanged);
  REQUIRE(used().size() == 1);
  const AuditEntry entry = used().front();
  CHECK(entry.kind == "override");
  CHECK(entry.revision == fleet.head());
  CHECK(entry.reason == "the site is down");
  CHECK_FALSE(entry.by.empty());
  CHECK(entry.record.at("past").as_texts().at(0).find(past) != std::string::npos);
}

TEST_CASE("what is held stays held under an override", "[turn][gates]") {
  Scene fleet;
  commit(fleet, "", "one");
  REQUIRE(fleet.result() == HostResult::deployed);
  fleet.write("motd.yaml", motd("bad") + check(fleet, "a", "good"));
  fleet.commit("bad");
  REQUIRE(fleet.result() == HostResult::rolled_back);
  CHECK(fleet.run_program("override test --reason now") == 0);
  CHECK(fleet.result() == HostResult::held);
  CHECK(fleet.read("/etc/motd") == "one\n");
}

TEST_CASE("a plan says for which gates it would wait", "[turn][gates]") {
  Scene fleet;
  commit(fleet, "", "one");
  REQUIRE(fleet.result() == HostResult::deployed);
  commit(fleet, flag_gate(fleet, "host"), "two");
  CHECK(fleet.run_program("plan test") == 2);
  CHECK(fleet.output().find("would wait: `test -e") != std::string::npos);
  open(fleet);
  CHECK(fleet.run_program("plan test") == 2);
  CHECK(fleet.output().find("would wait") == std::string::npos);
}

TEST_CASE("while a commit waits that changes the policy too, nothing of the new policy reaches a host", "[turn][gates]") {
  Scene fleet;
  const auto with_word = [&](const std::string& word, const std::string& gates) {
    fleet.write("environment.yaml", fleet.environment("main") + "  vars: {word: " + word + "}\n" + gates);
  };
  with_word("one", "");
  fleet.write("motd.yaml", motd("${word}"));
  fleet.commit("one");
  REQUIRE(fleet.result() == HostResult::deployed);
  with_word("two", flag_gate(fleet, "controller"));
  fleet.commit("two");
  CHECK(fleet.result() == HostResult::waiting);
  CHECK(fleet.read("/etc/motd") == "one\n");
  std::ofstream(fleet.root("a").string() + "/etc/motd") << "vandal";
  CHECK(fleet.result() == HostResult::waiting);
  INFO(fleet.said());
  CHECK(fleet.read("/etc/motd") == "one\n");
  open(fleet);
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "two\n");
}
