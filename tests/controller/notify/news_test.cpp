#include "notify_scene.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::test;
using Texts = std::vector<std::string>;

TEST_CASE("an environment is told once, when all of its hosts have the commit", "[notify]") {
  NotifyScene scene;
  scene.put_rollout(commit('1'), {"a", "b"});
  scene.deploy("a", commit('1'), Outcome::deployed);
  CHECK(scene.news().empty());
  scene.deploy("b", commit('1'), Outcome::deployed);
  const auto told = scene.news();
  REQUIRE(titles(told) == Texts{"production: deployed 111111111111 on a and b in 4.0 s"});
  CHECK(told.front().subject == "Greet politely");
  for (int poll = 0; poll < 5; ++poll) {
    scene.pass(30'000);
    scene.put_rollout(commit('1'), {"a", "b"});
    scene.put_host("a", "converged", commit('1'));
    CHECK(scene.news().empty());
  }
}

TEST_CASE("deployments of a commit that another one took the place of are never told", "[notify]") {
  NotifyScene scene;
  scene.put_rollout(commit('1'), {"a", "b"});
  scene.deploy("a", commit('1'), Outcome::deployed);
  scene.put_rollout(commit('2'), {"a", "b"});
  CHECK(scene.news().empty());
  scene.deploy("a", commit('2'), Outcome::deployed);
  scene.deploy("b", commit('2'), Outcome::deployed);
  CHECK(titles(scene.news()) == Texts{"production: deployed 222222222222 on a and b in 4.0 s"});
}

TEST_CASE("a commit status hears of the begin, and of a commit that changes nothing", "[notify]") {
  NotifyScene scene;
  const std::vector<SinkSettings> sinks = {NotifyScene::sink("status", {"deploying", "deployed", "current"})};
  scene.put_host("a", "converged", commit('1'));
  scene.put_rollout(commit('2'), {"a"});
  CHECK(titles(scene.look(sinks)) == Texts{"production: deploying 222222222222"});
  CHECK(scene.look(sinks).empty());
  scene.put_host("a", "converged", commit('2'));
  CHECK(titles(scene.look(sinks)) == Texts{"production: 222222222222 changes nothing on 1 host"});
  CHECK(scene.look(sinks).empty());
}

TEST_CASE("a commit that was begun or waited comes to an end when another one takes its place", "[notify]") {
  NotifyScene scene;
  const std::vector<SinkSettings> sinks = {
      NotifyScene::sink("status", {"deploying", "deployed", "rolled-back", "overtaken"})};
  scene.put_rollout(commit('1'), {"a", "b"});
  CHECK(titles(scene.look(sinks)) == Texts{"production: deploying 111111111111"});
  scene.put_rollout(commit('2'), {"a", "b"});
  const auto told = scene.look(sinks);
  CHECK(titles(told) ==
        Texts{"production: deploying 222222222222",
              "production: 111111111111 was overtaken: 222222222222 was wanted before all hosts had it"});
  CHECK(told.back().revision == commit('1'));
  CHECK(scene.look(sinks).empty());
  scene.hold("a", commit('2'));
  scene.deploy("a", commit('2'), Outcome::rolled_back, "a check");
  CHECK(titles(scene.look(sinks)) == Texts{"production: rolled back 222222222222 on a, held: a check"});
  scene.put_rollout(commit('3'), {"a", "b"});
  CHECK(titles(scene.look(sinks)) == Texts{"production: deploying 333333333333"});
}

TEST_CASE("a rollback is told with the reason and the unit's journal, hosts that failed alike together", "[notify]") {
  NotifyScene scene;
  scene.put_rollout(commit('1'), {"a", "b"});
  const std::int64_t id = scene.store->begin_deployment(
      {.environment = "production", .host = "a", .commit = commit('1'), .begun_ms = scene.now()});
  scene.store->add_event(id, scene.now(), "not healthy: a | b");
  scene.store->add_event(id, scene.now(), "cvd.service | Traceback");
  scene.hold("a", commit('1'));
  scene.store->end_deployment(id, Outcome::rolled_back, "a check: found 500", scene.now());
  scene.deploy("b", commit('1'), Outcome::rolled_back, "a check: found 500");
  scene.put_host("a", "held", "");
  scene.put_host("b", "held", "");
  const auto told = scene.news();
  REQUIRE(titles(told) == Texts{"production: rolled back 111111111111 on a and b, held: a check: found 500"});
  CHECK(told.front().journal == Texts{"cvd.service | Traceback"});
  scene.pass(20'000);
  CHECK(scene.news().empty());
}

TEST_CASE("an outcome that is found out later is told then, and once", "[notify]") {
  NotifyScene scene;
  scene.put_rollout(commit('1'), {"a"});
  const std::int64_t id = scene.deploy("a", commit('1'), Outcome::unknown, "contact lost");
  CHECK(scene.news().empty());
  scene.hold("a", commit('1'));
  scene.store->end_deployment(id, Outcome::rolled_back, "not confirmed in time", scene.now());
  CHECK(scene.news().size() == 1);
  scene.store->end_deployment(id, Outcome::rolled_back, "not confirmed in time", scene.now());
  CHECK(scene.news().empty());
}

TEST_CASE("what was undone because somebody else changed the host is not held, and not told", "[notify]") {
  NotifyScene scene;
  const std::int64_t id = scene.store->begin_deployment(
      {.environment = "production", .host = "a", .commit = commit('1'), .begun_ms = scene.now()});
  scene.hold("b", commit('1'));
  scene.hold("a", commit('2'));
  scene.store->end_deployment(id, Outcome::rolled_back, "changed meanwhile", scene.now());
  CHECK(scene.news().empty());
  CHECK(scene.queue->ended(10).empty());
}

TEST_CASE("repairs are told at once, and more of them together after ten minutes", "[notify]") {
  NotifyScene scene;
  scene.deploy("a", commit('1'), Outcome::repaired);
  CHECK(titles(scene.news()) == Texts{"production: repaired drift on a"});
  scene.deploy("a", commit('1'), Outcome::repaired);
  scene.deploy("b", commit('1'), Outcome::repaired);
  CHECK(scene.news().empty());
  scene.pass(600'000);
  CHECK(titles(scene.news()) == Texts{"production: repaired drift on a and b"});
}

TEST_CASE("a refusal that is met again after an outage is told once", "[notify]") {
  NotifyScene scene;
  scene.deploy("a", commit('1'), Outcome::refused, "a full disk");
  CHECK(scene.news().size() == 1);
  scene.deploy("a", commit('1'), Outcome::refused, "a full disk");
  CHECK(scene.news().empty());
  scene.deploy("a", commit('1'), Outcome::refused, "another reason");
  CHECK(scene.news().size() == 1);
}

TEST_CASE("a host is told to be out of reach after five minutes, and to be back once it was told", "[notify]") {
  NotifyScene scene;
  scene.put_host("a", "converged", commit('1'));
  scene.put_host("b", "converged", commit('1'));
  scene.put_rollout(commit('1'), {"a", "b"});
  CHECK(scene.news().empty());
  scene.put_host("a", "unreachable", commit('1'));
  scene.pass(299'000);
  CHECK(scene.news().empty());
  scene.put_host("b", "unreachable", commit('1'));
  scene.pass(2'000);
  CHECK(titles(scene.news()) == Texts{"production: out of reach: a: why"});
  scene.pass(10'000);
  CHECK(scene.news().empty());
  scene.put_host("a", "converged", commit('1'));
  scene.put_host("b", "converged", commit('1'));  // was away for less
  CHECK(titles(scene.news()) == Texts{"production: in reach again: a"});
  CHECK(scene.news().empty());
}

TEST_CASE("trouble with the tracked ref is told when it begins, when it is another, and when it is over", "[notify]") {
  NotifyScene scene;
  EnvironmentRecord record{.name = "production", .tracked = "branch main", .head = commit('1'), .state = "following"};
  scene.store->put_environment(record);
  CHECK(scene.news().empty());
  record.state = "rewritten";
  record.detail = "does not descend";
  scene.store->put_environment(record);
  CHECK(titles(scene.news()) == Texts{"production: rewritten: does not descend"});
  record.changed_ms = 5;
  scene.store->put_environment(record);
  CHECK(scene.news().empty());
  record.state = "following";
  scene.store->put_environment(record);
  CHECK(titles(scene.news()) == Texts{"production: branch main is followed again, at 111111111111"});
  record.state = "refused";
  record.detail = "1 problem";
  scene.store->put_environment(record);
  CHECK(titles(scene.news()) == Texts{"production: refused 111111111111: 1 problem"});
}

TEST_CASE("a contended host is told once until it is converged", "[notify]") {
  NotifyScene scene;
  scene.put_host("a", "contended", commit('1'));
  scene.put_rollout(commit('1'), {"a"});
  CHECK(titles(scene.news()) == Texts{"production: contended on a: why"});
  scene.put_host("a", "contended", commit('1'));
  CHECK(scene.news().empty());
  scene.put_host("a", "converged", commit('1'));
  CHECK(scene.news().empty());
  scene.put_host("a", "contended", commit('1'));
  CHECK(scene.news().size() == 1);
}

TEST_CASE("drift that is only told is told once, and what drifts then is told again", "[notify]") {
  NotifyScene scene;
  scene.put_host("a", "drifted", commit('1'));
  scene.put_rollout(commit('1'), {"a"});
  const std::vector<std::string> told = titles(scene.news());
  CHECK(std::ranges::find(told, "production: drifted on a: why") != told.end());
  scene.put_host("a", "drifted", commit('1'));
  CHECK(scene.news().empty());
  scene.put_host("a", "converged", commit('1'));
  CHECK(scene.news().empty());
  scene.put_host("a", "drifted", commit('1'));
  CHECK(titles(scene.news()) == Texts{"production: drifted on a: why"});
}

TEST_CASE("a commit that waits for gates is told once, and as begun only when it is let in", "[notify][gates]") {
  NotifyScene scene;
  const std::vector<SinkSettings> sinks = {NotifyScene::sink("status", {"waiting", "deploying"})};
  scene.put_host("a", "waiting", commit('1'));
  scene.store->put_waits("production", "",
                         {{.gate = "window", .commit = commit('2'), .why = "outside of its windows", .since_ms = 1}});
  scene.put_rollout(commit('2'), {"a"});
  CHECK(titles(scene.look(sinks)) == Texts{"production: 222222222222 waits on a: outside of its windows"});
  scene.pass(60'000);
  CHECK(scene.look(sinks).empty());
  scene.store->put_waits("production", "", {});
  CHECK(titles(scene.look(sinks)) == Texts{"production: deploying 222222222222"});
  CHECK(scene.look(sinks).empty());
}

TEST_CASE("drift of a suspended host is told once, whatever commits wait for it", "[notify][suspend]") {
  NotifyScene scene;
  HostRecord record{.environment = "production", .host = "a", .state = "suspended", .live_commit = commit('1')};
  record.detail = "suspended by alice";
  scene.store->put_host(record);
  scene.put_rollout(commit('1'), {"a"});
  const auto drifted = [&scene] {
    std::vector<std::string> found = titles(scene.news());
    std::erase_if(found, [](const std::string& one) { return one.find("drifted") == std::string::npos; });
    return found;
  };
  CHECK(drifted().empty());
  record.detail = "suspended by alice; drift is left as it is: file:/etc/motd";
  scene.store->put_host(record);
  CHECK(drifted() == Texts{"production: drifted on a: suspended by alice; drift is left as it is: file:/etc/motd"});
  record.detail += "; commit 222222222222 waits";
  scene.store->put_host(record);
  CHECK(drifted().empty());
}

TEST_CASE("a commit is deployed when all hosts have it but those that are suspended", "[notify][suspend]") {
  NotifyScene scene;
  scene.put_host("a", "suspended", commit('0'));
  scene.put_host("b", "suspended", commit('0'));
  scene.put_rollout(commit('1'), {"a", "b"});
  const std::vector<SinkSettings> sinks = {NotifyScene::sink("status", {"deploying", "deployed", "current"})};
  const auto told = [&](const std::string& what) {
    const std::vector<std::string> found = titles(scene.look(sinks));
    return std::ranges::any_of(found, [&](const std::string& one) { return one.find(what) != std::string::npos; });
  };
  CHECK_FALSE(told("changes nothing"));
  scene.put_host("b", "converged", commit('1'));
  CHECK(told("changes nothing"));
}
