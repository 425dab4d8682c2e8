// A host that had been healthy with a new commit, and is not a little later.
#include "scene.hpp"

using namespace holdfast;

namespace {

void watch_late(Scene& fleet, const std::string& text, const std::string& more = "") {
  std::string environment = fleet.environment("main") + more;
  const std::string health = "passes: 1}";
  environment.replace(environment.find(health), health.size(), "passes: 1, watch: {" + text + "}}");
  fleet.write("environment.yaml", environment);
}

/// A second later than the newest round at least.
void next_round(Scene& fleet) {
  std::this_thread::sleep_for(std::chrono::milliseconds(1'050));
  fleet.turn();
}

std::vector<Deployment> deployments(Scene& fleet, const std::string& host = "") {
  return fleet.store().deployments("test", host, 50);
}

/// Something that the checks look at and no manifest names.
void say(Scene& fleet, const std::string& host, const std::string& text) {
  std::ofstream(fleet.root(host) / "word") << text << "\n";
}

std::string word_check(const Scene& fleet, const std::string& host) {
  return "---\napiVersion: holdfast.dev/v1\nkind: HealthCheck\nmetadata: {name: word-" + host + ", hosts: [" + host +
         "]}\nspec:\n  command: {argv: [grep, -q, fine, " + fleet.root(host).string() + "/word]}\n";
}

/// A good commit, then one that is healthy at first.
std::string take_two(Scene& fleet, const std::vector<std::string>& hosts) {
  std::string checks;
  for (const std::string& host : hosts) {
    say(fleet, host, "fine");
    checks += word_check(fleet, host);
  }
  fleet.write("motd.yaml", motd("good") + checks);
  const std::string good = fleet.commit("good");
  for (const HostReport& one : fleet.turn().hosts) REQUIRE(one.result == HostResult::deployed);
  fleet.write("motd.yaml", motd("bad") + checks);
  fleet.commit("bad");
  for (const HostReport& one : fleet.turn().hosts) REQUIRE(one.result == HostResult::deployed);
  return good;
}

}  // namespace

TEST_CASE("a commit that breaks after its rollout is taken back and held, once", "[turn][late]") {
  Scene fleet;
  watch_late(fleet, "for: 1h, every: 1s, failures: 2");
  const std::string good = take_two(fleet, {"a"});
  REQUIRE(fleet.store().late_watches("test").size() == 1);
  const std::int64_t bad = deployments(fleet).front().id;
  const std::int64_t ended_ms = deployments(fleet).front().ended_ms;

  say(fleet, "a", "broken");
  next_round(fleet);
  CHECK(fleet.read("/etc/motd") == "bad\n");  // one failure is none
  next_round(fleet);
  INFO(fleet.said());
  CHECK(fleet.read("/etc/motd") == "good\n");
  const auto all = deployments(fleet);
  REQUIRE(all.size() == 3);
  CHECK(all[0].cause == "rollback");
  CHECK(all[0].commit == good);
  CHECK(all[0].reason.find("late watch: ") == 0);
  const Deployment failed = *fleet.store().deployment(bad);
  CHECK(failed.outcome == Outcome::rolled_back);
  CHECK(failed.reason.find("failed 2 times in a row") != std::string::npos);
  CHECK(failed.ended_ms == ended_ms);
  CHECK(fleet.store().host("test", "a")->state == "held");
  CHECK(fleet.store().late_watches("test").empty());

  next_round(fleet);
  fleet.begin_again();
  next_round(fleet);
  CHECK(deployments(fleet).size() == 3);

  say(fleet, "a", "fine");
  fleet.write("motd.yaml", motd("mended"));
  fleet.commit("fix");
  CHECK(fleet.result() == HostResult::deployed);
}

TEST_CASE("a late watch goes on where the last controller was", "[turn][late]") {
  Scene fleet;
  watch_late(fleet, "for: 1h, every: 1s, failures: 2");
  take_two(fleet, {"a"});
  say(fleet, "a", "broken");
  next_round(fleet);
  fleet.begin_again();
  fleet.turn();
  CHECK(fleet.read("/etc/motd") == "good\n");
}

TEST_CASE("a late watch ends by itself, and what comes later is nobody's fault", "[turn][late]") {
  Scene fleet;
  watch_late(fleet, "for: 1s, every: 1s, failures: 1");
  take_two(fleet, {"a"});
  next_round(fleet);
  CHECK(fleet.store().late_watches("test").empty());
  CHECK(fleet.said().find("still healthy: 1 round") != std::string::npos);
  say(fleet, "a", "broken");
  next_round(fleet);
  CHECK(fleet.read("/etc/motd") == "bad\n");
}

TEST_CASE("a host that leaves the environment is watched no longer", "[turn][late]") {
  Scene fleet({"a", "b"});
  watch_late(fleet, "for: 1h, every: 1s");
  take_two(fleet, {"a", "b"});
  REQUIRE(fleet.store().late_watches("test").size() == 2);
  std::string environment = fleet.environment("main");
  const std::size_t line = environment.find("    - {name: b,");
  environment.erase(line, environment.find('\n', line) + 1 - line);
  fleet.write("environment.yaml", environment);
  fleet.write("motd.yaml", motd("bad") + word_check(fleet, "a"));
  fleet.commit("one host less");
  fleet.turn();
  REQUIRE(fleet.store().late_watches("test").size() == 1);
  CHECK(fleet.store().late_watches("test")[0].host == "a");
}

TEST_CASE("no late watch is kept where the policy says so, nor of a repair or of what a person rolled back to",
          "[turn][late]") {
  Scene fleet;
  watch_late(fleet, "for: 0s");
  take_two(fleet, {"a"});
  CHECK(fleet.store().late_watches("test").empty());
  watch_late(fleet, "for: 1s, every: 1s");
  fleet.commit("policy");
  std::ofstream(fleet.root("a") / "etc/motd") << "by hand\n";
  CHECK(fleet.result() == HostResult::repaired);
  CHECK(fleet.store().late_watches("test").empty());
}

TEST_CASE("where one host breaks late, the others keep the commit, or go back where all do", "[turn][late]") {
  const bool all = GENERATE(false, true);
  Scene fleet({"a", "b"});
  watch_late(fleet, "for: 1h, every: 1s, failures: 1", all ? "  rollout: {onFailure: rollback-all}\n" : "");
  take_two(fleet, {"a", "b"});
  say(fleet, "b", "broken");
  next_round(fleet);
  CHECK(fleet.read("/etc/motd", "b") == "good\n");
  CHECK(fleet.read("/etc/motd", "a") == (all ? "good\n" : "bad\n"));
  next_round(fleet);
  CHECK(fleet.read("/etc/motd", "a") == (all ? "good\n" : "bad\n"));
}

TEST_CASE("a commit that broke late on one host is taken by no other", "[turn][late]") {
  Scene fleet({"a", "b"});
  watch_late(fleet, "for: 1h, every: 1s, failures: 1", "  rollout: {pause: 2s}\n");
  std::string checks = word_check(fleet, "a") + word_check(fleet, "b");
  say(fleet, "a", "fine");
  say(fleet, "b", "fine");
  fleet.write("motd.yaml", motd("good") + checks);
  fleet.commit("good");
  fleet.turn();
  fleet.write("motd.yaml", motd("bad") + checks);
  fleet.commit("bad");
  fleet.poll();
  REQUIRE(Scene::eventually([&] { return fleet.store().host("test", "a")->live_commit == fleet.head(); }));
  say(fleet, "a", "broken");
  std::this_thread::sleep_for(std::chrono::milliseconds(1'050));
  fleet.poll();
  REQUIRE(Scene::eventually([&] { return fleet.store().host("test", "a")->state == "held"; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(2'500));
  fleet.turn();
  CHECK(fleet.read("/etc/motd", "a") == "good\n");
  CHECK(fleet.read("/etc/motd", "b") == "good\n");
  CHECK(deployments(fleet, "b").size() == 1);
}
