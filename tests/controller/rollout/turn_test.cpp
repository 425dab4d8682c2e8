// Whole turns of an environment.
#include "scene.hpp"

using namespace holdfast;

TEST_CASE("a commit arrives, and the second turn finds nothing to do", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello"));
  const std::string commit = fleet.commit("first");
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "hello\n");
  CHECK(fleet.result() == HostResult::unchanged);
  REQUIRE(fleet.store().deployments("test", "", 10).size() == 1);
  CHECK(fleet.store().deployments("test", "", 10)[0].outcome == Outcome::deployed);
  CHECK(fleet.store().host("test", "a")->live_commit == commit);
}

TEST_CASE("a turn is told in the plan's words, and what came of each change is kept", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello") + check(fleet, "a", "good"));
  fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::rolled_back);
  CHECK(fleet.said().find(": 2 to create, 0 to change, 0 to remove\n") != std::string::npos);
  CHECK(
      fleet.said().find("done  + file:/etc/motd  group root, mode 0644, owner root, +1 -0  (File/motd motd.yaml:1)") !=
      std::string::npos);
  CHECK(fleet.said().find("undone  + file:/etc/motd") != std::string::npos);
  const Deployment one = fleet.store().deployments("test", "", 1).at(0);
  const TransactionResult result = kept_result(one.result);
  CHECK(result.changes.at("file:/etc/motd").state == "undone");
  CHECK(result.changes.at("file:/etc/motd").took_ms >= 0);
  REQUIRE(result.checks.size() == 1);
  CHECK_FALSE(result.checks.front().passed);
  const HostPlan plan = kept_plan(one.plan);
  CHECK(plan.kept_contents.at("file:/etc/motd").diff.find("+hello\n") != std::string::npos);
}

TEST_CASE("a drifted file is repaired alone and told as a repair", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello"));
  fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
  std::ofstream(fleet.root("a").string() + "/etc/motd") << "vandal";
  CHECK(fleet.result() == HostResult::repaired);
  CHECK(fleet.read("/etc/motd") == "hello\n");
  CHECK(fleet.store().deployments("test", "", 1)[0].cause == "drift");
}

TEST_CASE("a bad commit is undone, stays undone, and a fix goes out", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("good one") + check(fleet, "a", "good"));
  const std::string good = fleet.commit("good");
  REQUIRE(fleet.result() == HostResult::deployed);

  fleet.write("motd.yaml", motd("bad one") + check(fleet, "a", "good"));
  fleet.commit("bad");
  CHECK(fleet.result() == HostResult::rolled_back);
  CHECK(fleet.read("/etc/motd") == "good one\n");
  const auto after_bad = fleet.store().deployments("test", "", 10).size();
  for (int i = 0; i < 5; ++i) CHECK(fleet.result() == HostResult::held);
  CHECK(fleet.store().deployments("test", "", 10).size() == after_bad);
  CHECK(fleet.store().host("test", "a")->state == "held");
  CHECK(fleet.store().host("test", "a")->live_commit == good);

  SECTION("while it is held, drift in the old state is still repaired") {
    std::ofstream(fleet.root("a").string() + "/etc/motd") << "vandal";
    CHECK(fleet.result() == HostResult::held);
    CHECK(fleet.read("/etc/motd") == "good one\n");
  }
  SECTION("another commit that is good is deployed") {
    fleet.write("motd.yaml", motd("good two") + check(fleet, "a", "good"));
    fleet.commit("fix");
    CHECK(fleet.result() == HostResult::deployed);
    CHECK(fleet.read("/etc/motd") == "good two\n");
  }
  SECTION("a retry tries it once more") {
    fleet.store().remove_holds("test", "");
    CHECK(fleet.result() == HostResult::rolled_back);
    CHECK(fleet.result() == HostResult::held);
  }
}

TEST_CASE("a transaction left open for something else is undone, and what is wanted now goes out in the same turn",
          "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello"));
  fleet.commit("first");
  fleet.leave_open("/stray");
  REQUIRE(fs::exists(fleet.root("a") / "stray"));
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "hello\n");
  CHECK_FALSE(fs::exists(fleet.root("a") / "stray"));
  CHECK(fleet.result() == HostResult::unchanged);
}

TEST_CASE("a commit that fails on the canary reaches no other host", "[turn]") {
  Scene fleet({"a", "b", "c"});
  const auto checks = check(fleet, "a", "good") + check(fleet, "b", "good") + check(fleet, "c", "good");
  fleet.write("motd.yaml", motd("good") + checks);
  fleet.commit("good");
  for (const HostReport& one : fleet.turn().hosts) CHECK(one.result == HostResult::deployed);

  fleet.write("motd.yaml", motd("bad") + checks);
  fleet.commit("bad");
  fleet.turn();
  fleet.turn();
  int tried = 0;
  for (const Deployment& one : fleet.store().deployments("test", "", 20)) tried += one.outcome == Outcome::rolled_back;
  CHECK(tried == 1);
  for (const char* host : {"a", "b", "c"}) CHECK(fleet.read("/etc/motd", host) == "good\n");
  CHECK(fleet.store().host("test", "a")->state == "held");
  CHECK(fleet.store().host("test", "b")->state == "waiting");
}

TEST_CASE("a dead host in front takes no turn from the others, and is told once", "[turn]") {
  Scene fleet({"a", "b"});
  std::string text = fleet.environment("main");
  const std::string dead = "    - {name: dead, address: 127.0.0.1, port: 1, user: root}\n";
  text.insert(text.find("    - {name: a"), dead);
  fleet.write("environment.yaml", text);
  fleet.write("motd.yaml", motd("hello"));
  fleet.commit("first");
  std::map<std::string, HostResult> results;
  for (const HostReport& one : fleet.turn().hosts) results[one.host] = one.result;
  CHECK(results == std::map<std::string, HostResult>{
                       {"a", HostResult::deployed}, {"b", HostResult::deployed}, {"dead", HostResult::unreachable}});
  const HostRecord before = *fleet.store().host("test", "dead");
  CHECK(before.state == "unreachable");
  for (const HostReport& one : fleet.turn().hosts) CHECK(one.host != "dead");  // it waits for its next try
  CHECK(*fleet.store().host("test", "dead") == before);

  fleet.write("motd.yaml", motd("another"));
  fleet.commit("second");
  results.clear();
  for (const HostReport& one : fleet.turn().hosts) results[one.host] = one.result;
  CHECK(results["a"] == HostResult::deployed);
  CHECK(results["dead"] == HostResult::unreachable);  // something else is wanted of it: tried at once
  const std::string& said = fleet.said();
  CHECK(said.find("dead while connecting") != std::string::npos);
  CHECK(said.find("dead while connecting") == said.rfind("dead while connecting"));
}

TEST_CASE("a turn that finds nothing writes nothing but when hosts were seen", "[turn]") {
  Scene fleet({"a", "b"});
  fleet.write("motd.yaml", motd("hello"));
  fleet.commit("first");
  fleet.turn();
  fleet.turn();  // the first one that finds nothing writes that the rollout is over
  const auto before = fleet.store().hosts("test");
  const int transactions = fleet.transactions();
  for (int i = 0; i < 2; ++i) {
    for (const HostReport& one : fleet.turn().hosts) CHECK(one.result == HostResult::unchanged);
  }
  CHECK(fleet.transactions() == transactions + 2);  // one a turn, not one for each host
  auto after = fleet.store().hosts("test");
  REQUIRE(after.size() == before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    CHECK(after[i].seen_ms > before[i].seen_ms);
    after[i].seen_ms = before[i].seen_ms;
    CHECK(after[i] == before[i]);
  }
}

TEST_CASE("a commit with a problem is refused whole and the last good one stays in force", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello"));
  fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
  fleet.write("broken.yaml", "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: x}\nspec: {pth: /etc/x}\n");
  fleet.write("motd.yaml", motd("changed"));
  fleet.commit("broken");
  std::ofstream(fleet.root("a").string() + "/etc/motd") << "vandal";
  const EnvironmentReport report = fleet.turn();
  CHECK_FALSE(report.problems.empty());
  CHECK(exit_code(report) == 1);
  CHECK(fleet.read("/etc/motd") == "hello\n");
  CHECK(fleet.store().environment("test")->state == "refused");
}

TEST_CASE("rewritten history is refused unless the policy allows it", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  fleet.commit("first");
  fleet.write("motd.yaml", motd("two"));
  fleet.commit("second");
  REQUIRE(fleet.result() == HostResult::deployed);
  fleet.git("-C repository reset -q --hard HEAD~1");
  fleet.write("motd.yaml", motd("three"));
  fleet.commit("another second");
  const EnvironmentReport report = fleet.turn();
  CHECK(report.refused.find("rewritten") != std::string::npos);
  CHECK(exit_code(report) == 4);
  CHECK(fleet.read("/etc/motd") == "two\n");

  fleet.write("environment.yaml", fleet.environment("main", ", rewrites: allow"));
  fleet.commit("allow it");
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "three\n");
}

TEST_CASE("what a manifest no longer names is removed, and foreign files stay", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello"));
  fleet.write("other.yaml",
              "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: o}\nspec: {path: /etc/other, text: x}\n");
  fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
  std::ofstream(fleet.root("a").string() + "/etc/foreign") << "mine";
  fs::remove(fs::path(fleet.root("a")) / "../../repository/other.yaml");
  fleet.commit("remove other");
  CHECK(fleet.result() == HostResult::deployed);
  CHECK_FALSE(fs::exists(fleet.root("a").string() + "/etc/other"));
  CHECK(fleet.read("/etc/foreign") == "mine");
}

TEST_CASE("a person's rollback holds until the branch moves", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  const std::string first = fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
  fleet.write("motd.yaml", motd("two"));
  const std::string second = fleet.commit("second");
  REQUIRE(fleet.result() == HostResult::deployed);
  fleet.store().put_pin({.environment = "test", .head = second, .target = first, .requested_by = "p", .reason = "r"});
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "one\n");
  CHECK(fleet.result() == HostResult::unchanged);
  CHECK(fleet.store().deployments("test", "", 1)[0].cause == "rollback");
  fleet.write("motd.yaml", motd("three"));
  fleet.commit("third");
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "three\n");
}
