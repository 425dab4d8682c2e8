// A commit on its way through the hosts: what a newer one does to it.
#include "scene.hpp"

#include <algorithm>

using namespace holdfast;

namespace {

void wait_long_for_health(Scene& fleet, const std::string& window = "10m") {
  std::string text = fleet.environment("main");
  const std::string usual = "window: 2s";
  text.replace(text.find(usual), usual.size(), "window: " + window);
  fleet.write("environment.yaml", text);
}

void policy(Scene& fleet, const std::string& text) {
  fleet.write("environment.yaml", fleet.environment("main") + "  rollout: {" + text + "}\n");
}

Deployment newest(Scene& fleet, const std::string& host) {
  const auto found = fleet.store().deployments("test", host, 1);
  return found.empty() ? Deployment{} : found.front();
}

/// A good commit everywhere, then one that is not healthy on "a" and may take ten minutes to become so.
void begin_a_bad_commit(Scene& fleet, const std::string& checks) {
  wait_long_for_health(fleet);
  fleet.write("motd.yaml", motd("good") + checks);
  fleet.commit("good");
  for (const HostReport& one : fleet.turn().hosts) REQUIRE(one.result == HostResult::deployed);
  fleet.write("motd.yaml", motd("bad") + checks);
  fleet.commit("bad");
  fleet.poll();
  REQUIRE(Scene::eventually([&] { return fleet.read("/etc/motd") == "bad\n"; }));
}

}  // namespace

TEST_CASE("a fix does not wait for the health of the commit that it mends", "[turn]") {
  Scene fleet({"a", "b"});
  const std::string checks = check(fleet, "a", "good") + check(fleet, "b", "good");
  begin_a_bad_commit(fleet, checks);
  const std::int64_t bad = newest(fleet, "a").id;

  fleet.write("motd.yaml", motd("good again") + checks);
  const std::string fix = fleet.commit("fix");
  fleet.poll();
  REQUIRE(Scene::eventually([&] { return newest(fleet, "b").commit == fix && newest(fleet, "b").ended_ms != 0; }));
  CHECK(fleet.read("/etc/motd") == "good again\n");
  CHECK(fleet.read("/etc/motd", "b") == "good again\n");
  const Deployment ended = *fleet.store().deployment(bad);
  CHECK(ended.outcome == Outcome::superseded);
  CHECK(ended.reason.find("superseded by " + fix.substr(0, 12)) != std::string::npos);
  CHECK(fleet.store().holds("test").empty());
  CHECK(newest(fleet, "a").outcome == Outcome::deployed);
  CHECK(newest(fleet, "a").begun_ms <= newest(fleet, "b").begun_ms);  // the host that had the bad one is the canary
  CHECK(fleet.store().host("test", "a")->state == "converged");
}

TEST_CASE("a revert takes a failing commit back at once", "[turn]") {
  Scene fleet({"a", "b"});
  const std::string checks = check(fleet, "a", "good") + check(fleet, "b", "good");
  begin_a_bad_commit(fleet, checks);
  const std::int64_t bad = newest(fleet, "a").id;
  fleet.write("motd.yaml", motd("good") + checks);
  fleet.commit("revert");
  fleet.poll();
  REQUIRE(Scene::eventually([&] { return fleet.store().deployment(bad)->ended_ms != 0; }));
  CHECK(fleet.store().deployment(bad)->outcome == Outcome::superseded);
  CHECK(fleet.read("/etc/motd") == "good\n");
  REQUIRE(Scene::eventually([&] { return fleet.store().host("test", "a")->state == "converged"; }));
}

TEST_CASE("the host where a commit failed is the first to take the fix", "[turn]") {
  Scene fleet({"a", "b"});
  const std::string checks = check(fleet, "b", "good");
  fleet.write("motd.yaml", motd("good") + checks);
  fleet.commit("good");
  fleet.turn();
  fleet.write("motd.yaml", motd("bad") + checks);
  fleet.commit("bad only on b");
  fleet.turn();
  REQUIRE(fleet.store().host("test", "b")->state == "held");
  fleet.write("motd.yaml", motd("good again") + checks);
  fleet.commit("fix");
  fleet.turn();
  CHECK(newest(fleet, "b").outcome == Outcome::deployed);
  CHECK(newest(fleet, "b").begun_ms < newest(fleet, "a").begun_ms);
}

TEST_CASE("where all go back, a commit that fails on one host leaves every host at the state before", "[turn]") {
  Scene fleet({"a", "b", "c"});
  policy(fleet, "wave: 1, onFailure: rollback-all");
  const std::string checks = check(fleet, "c", "good");
  fleet.write("motd.yaml", motd("good") + checks);
  const std::string good = fleet.commit("good");
  for (const HostReport& one : fleet.turn().hosts) REQUIRE(one.result == HostResult::deployed);
  fleet.write("motd.yaml", motd("bad") + checks);
  const std::string bad = fleet.commit("bad on the last host");
  CHECK(exit_code(fleet.turn()) == 3);
  for (const char* host : {"a", "b", "c"}) {
    INFO(host << "\n" << fleet.said());
    CHECK(fleet.read("/etc/motd", host) == "good\n");
    CHECK(fleet.store().host("test", host)->state == "held");
    CHECK(fleet.store().host("test", host)->live_commit == good);
  }
  const Deployment back = newest(fleet, "a");
  CHECK(back.cause == "rollback");
  CHECK(back.commit == good);
  CHECK(back.from_commit == bad);
  CHECK(back.outcome == Outcome::deployed);
  const std::size_t deployments = fleet.store().deployments("test", "", 50).size();
  fleet.turn();
  CHECK(fleet.store().deployments("test", "", 50).size() == deployments);  // and there it stays

  fleet.write("motd.yaml", motd("good again") + checks);
  fleet.commit("fix");
  for (const HostReport& one : fleet.turn().hosts) CHECK(one.result == HostResult::deployed);
}

TEST_CASE("a commit that fails is left on the hosts that have it, unless all go back", "[turn]") {
  Scene fleet({"a", "b", "c"});
  policy(fleet, "wave: 1");
  const std::string checks = check(fleet, "b", "good");
  fleet.write("motd.yaml", motd("good") + checks);
  fleet.commit("good");
  fleet.turn();
  fleet.write("motd.yaml", motd("bad") + checks);
  fleet.commit("bad on the second host");
  fleet.turn();
  CHECK(fleet.read("/etc/motd", "a") == "bad\n");
  CHECK(fleet.read("/etc/motd", "b") == "good\n");
  CHECK(fleet.read("/etc/motd", "c") == "good\n");
}

TEST_CASE("with halt no host takes any other commit before somebody says retry", "[turn]") {
  Scene fleet({"a", "b"});
  fleet.write("environment.yaml", fleet.environment("main") + "  rollout: {onFailure: halt}\n");
  const std::string checks = check(fleet, "a", "good");
  fleet.write("motd.yaml", motd("good") + checks);
  fleet.commit("good");
  fleet.turn();
  fleet.write("motd.yaml", motd("bad") + checks);
  fleet.commit("bad");
  CHECK(fleet.result() == HostResult::rolled_back);
  fleet.write("motd.yaml", motd("good again") + checks);
  fleet.commit("fix");
  CHECK(exit_code(fleet.turn()) == 3);
  CHECK(fleet.read("/etc/motd", "a") == "good\n");
  CHECK(fleet.read("/etc/motd", "b") == "good\n");
  CHECK(fleet.store().host("test", "b")->detail.find("halted: ") != std::string::npos);
  REQUIRE(fleet.store().remove_holds("test", "") == 1);
  CHECK(exit_code(fleet.turn()) == 0);
  CHECK(fleet.read("/etc/motd", "b") == "good again\n");
}
