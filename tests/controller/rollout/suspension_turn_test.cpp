// Turns of hosts that a person took out of our hands.
#include "scene.hpp"

using namespace holdfast;

namespace {

constexpr std::int64_t hour_ms = 3'600'000;

Suspension suspend(Scene& fleet, const std::string& host = "", const std::string& app = "",
                   std::int64_t left_ms = hour_ms) {
  const std::int64_t now = system_clock().wall_ms();
  const Suspension one{"test", host, app, "alice", "kernel tests", now - hour_ms, now + left_ms};
  fleet.store().put_suspension(one);
  return one;
}

void edit(const Scene& fleet, const std::string& text, const std::string& host = "a") {
  std::ofstream(fleet.root(host).string() + "/etc/motd") << text;
}

std::size_t deployments(Scene& fleet) { return fleet.store().deployments("test", "", 50).size(); }

std::string notice(const std::string& text) {
  return "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: notice}\nspec: {path: /etc/notice, text: \"" + text +
         "\\n\"}\n";
}

}  // namespace

TEST_CASE("drift of a suspended host is told once and left as it is", "[turn][suspend]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello"));
  fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
  const Suspension one = suspend(fleet);
  edit(fleet, "by hand\n");
  for (int i = 0; i < 3; ++i) CHECK(fleet.result() == HostResult::suspended);
  CHECK(fleet.read("/etc/motd") == "by hand\n");
  CHECK(deployments(fleet) == 1);
  const HostRecord record = fleet.store().host("test", "a").value();
  CHECK(record.state == "suspended");
  CHECK(record.detail.find("suspended by alice since ") == 0);
  CHECK(record.detail.find(": kernel tests; until ") != std::string::npos);
  CHECK(record.detail.find("drift is left as it is: file:/etc/motd") != std::string::npos);
  const std::size_t told = fleet.said().find("drift is left");
  REQUIRE(told != std::string::npos);
  CHECK(fleet.said().find("drift is left", told + 1) == std::string::npos);

  REQUIRE(fleet.store().remove_suspension(one));
  CHECK(fleet.result() == HostResult::repaired);
  CHECK(fleet.read("/etc/motd") == "hello\n");
}

TEST_CASE("commits wait for a suspended host, and only the newest is deployed then", "[turn][suspend]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  const std::string first = fleet.commit("one");
  REQUIRE(fleet.result() == HostResult::deployed);
  const Suspension one = suspend(fleet);
  fleet.write("motd.yaml", motd("two"));
  fleet.commit("two");
  CHECK(fleet.result() == HostResult::suspended);
  fleet.write("motd.yaml", motd("three"));
  const std::string third = fleet.commit("three");
  CHECK(fleet.result() == HostResult::suspended);
  CHECK(fleet.read("/etc/motd") == "one\n");
  CHECK(fleet.store().host("test", "a")->live_commit == first);
  CHECK(fleet.store().host("test", "a")->detail.find("commit " + third.substr(0, 12) + " waits") != std::string::npos);
  REQUIRE(fleet.store().remove_suspension(one));
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "three\n");
  CHECK(deployments(fleet) == 2);
}

TEST_CASE("a suspended host keeps no other one waiting", "[turn][suspend]") {
  Scene fleet({"a", "b"});
  fleet.write("motd.yaml", motd("one"));
  fleet.commit("one");
  fleet.turn();
  suspend(fleet, "a");
  fleet.write("motd.yaml", motd("two"));
  fleet.commit("two");
  CHECK(fleet.result("b") == HostResult::deployed);
  CHECK(fleet.result("a") == HostResult::suspended);
  CHECK(fleet.read("/etc/motd", "a") == "one\n");
  CHECK(fleet.read("/etc/motd", "b") == "two\n");
}

TEST_CASE("a host without a verified state gets nothing while it is suspended", "[turn][suspend]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  fleet.commit("one");
  suspend(fleet);
  CHECK(fleet.result() == HostResult::suspended);
  CHECK(fleet.read("/etc/motd").empty());
  CHECK(fleet.store().host("test", "a")->state == "suspended");
}

TEST_CASE("a suspension is over at its time, once", "[turn][suspend]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  fleet.commit("one");
  REQUIRE(fleet.result() == HostResult::deployed);
  suspend(fleet, "", "", -1);
  edit(fleet, "by hand\n");
  CHECK(fleet.result() == HostResult::repaired);
  CHECK(fleet.said().find("its time is over: test is no longer suspended by alice") != std::string::npos);
  CHECK(fleet.store().suspensions("").empty());
}

TEST_CASE("what is begun comes to its end under a suspension", "[turn][suspend]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  fleet.commit("one");
  REQUIRE(fleet.run_program("apply test") == 0);
  fleet.write("motd.yaml", motd("two"));
  const std::string second = fleet.commit("two");
  REQUIRE(fleet.run_program("apply test", "turn.applied kill") == 137);
  suspend(fleet);
  const HostResult finished = fleet.result();
  INFO(fleet.said());
  CHECK(finished == HostResult::deployed);
  CHECK(fleet.result() == HostResult::suspended);
  CHECK(fleet.read("/etc/motd") == "two\n");
  CHECK(fleet.store().deployments("test", "", 1).at(0).outcome == Outcome::deployed);
  CHECK(fleet.store().host("test", "a")->live_commit == second);
}

TEST_CASE("an application that is suspended stays as it is while the rest is deployed", "[turn][suspend]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  fleet.write("notice.yaml", notice("one"));
  fleet.commit("one");
  REQUIRE(fleet.result() == HostResult::deployed);
  const Suspension one = suspend(fleet, "", "motd");
  edit(fleet, "by hand\n");
  CHECK(fleet.result() == HostResult::unchanged);
  fleet.write("motd.yaml", motd("two"));
  fleet.write("notice.yaml", notice("two"));
  fleet.commit("two");
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.result() == HostResult::unchanged);
  CHECK(fleet.read("/etc/motd") == "by hand\n");
  CHECK(fleet.read("/etc/notice") == "two\n");

  SECTION("what a commit no longer has of it is kept") {
    fs::remove(fleet.folder() / "repository/motd.yaml");
    fleet.write("etc.yaml", "apiVersion: holdfast.dev/v1\nkind: Directory\nmetadata: {name: etc}\nspec: {path: /etc}\n");
    fleet.commit("three");
    fleet.turn();
    CHECK(fleet.read("/etc/motd") == "by hand\n");
  }
  SECTION("it is deployed, not repaired, once it is resumed") {
    REQUIRE(fleet.store().remove_suspension(one));
    CHECK(fleet.result() == HostResult::deployed);
    CHECK(fleet.read("/etc/motd") == "two\n");
  }
}

TEST_CASE("people suspend and resume with a reason and an end", "[turn][suspend][cli]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  fleet.commit("one");
  REQUIRE(fleet.result() == HostResult::deployed);
  CHECK(fleet.run_program("suspend test") == 1);
  CHECK(fleet.run_program("suspend test --reason ' '") == 1);
  CHECK(fleet.run_program("suspend test --reason x --for 31d") == 1);
  CHECK(fleet.run_program("suspend test --reason x --until yesterday") == 1);
  CHECK(fleet.run_program("suspend test --reason x --host nobody") == 1);
  CHECK(fleet.run_program("suspend test --reason x --app nothing") == 1);
  CHECK(fleet.output().find("(motd)") != std::string::npos);
  CHECK(fleet.run_program("resume test --yes") == 1);
  REQUIRE(fleet.store().suspensions("").empty());

  REQUIRE(fleet.run_program("suspend test --host a --reason 'kernel tests' --for 10m") == 0);
  INFO(fleet.output());
  REQUIRE(fleet.store().suspensions("test").size() == 1);
  edit(fleet, "by hand\n");
  CHECK(fleet.run_program("apply test") == 3);
  CHECK(fleet.run_program("status") == 3);
  CHECK(fleet.output().find("test on a: suspended by ") != std::string::npos);
  CHECK(fleet.output().find("kernel tests; until ") != std::string::npos);
  CHECK(fleet.output().find(", in 9 min ") != std::string::npos);
  CHECK(fleet.read("/etc/motd") == "by hand\n");

  CHECK(fleet.run_program("resume test --yes") == 1);
  CHECK(fleet.output().find("suspended are test on a") != std::string::npos);
  CHECK(fleet.run_program("resume test --host a < /dev/null") == 1);
  CHECK(fleet.output().find("/etc/motd") != std::string::npos);
  REQUIRE(fleet.store().suspensions("test").size() == 1);
  CHECK(fleet.run_program("resume test --host a --yes") == 0);
  CHECK(fleet.store().suspensions("test").empty());
  CHECK(fleet.run_program("apply test") == 0);
  CHECK(fleet.read("/etc/motd") == "one\n");
}
