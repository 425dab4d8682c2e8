// What lasts: the root branch, hosts that can't, suspensions.
#include "notify_scene.hpp"

#include <manifests/json.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::test;
using Texts = std::vector<std::string>;

namespace {

constexpr std::int64_t minute = 60'000;

struct Root {
  std::string state = "following";
  std::string detail{};
  std::int64_t stale_ms = 0;
};

void put_root(NotifyScene& scene, const Root& root) {
  scene.store->put_note("root branch", to_json(Map{{"source", "main of file:///srv/fleet.git"},
                                                   {"policy", commit('1')},
                                                   {"state", root.state},
                                                   {"detail", root.detail},
                                                   {"stale_ms", root.stale_ms},
                                                   {"stale_detail", root.stale_ms == 0 ? "" : "no route"}}));
}

Suspension suspended(const NotifyScene& scene, std::int64_t lasts_ms, const std::string& host = "",
                     const std::string& app = "") {
  return {.environment = "production",
          .host = host,
          .app = app,
          .by = "alice",
          .reason = "kernel tests",
          .since_ms = scene.now(),
          .until_ms = scene.now() + lasts_ms};
}

/// The begin of each title, up to the words behind the first colon after the environment's.
Texts begins(NotifyScene& scene) {
  Texts found = titles(scene.news());
  for (std::string& one : found) one = one.substr(0, one.find(": ", one.find(": ") + 2));
  return found;
}

}  // namespace

TEST_CASE("trouble with the root branch is told once, when it is another, and when it is over", "[notify]") {
  NotifyScene scene;
  put_root(scene, {});
  CHECK(scene.news().empty());
  for (const std::string state : {"rewritten", "lost"}) {
    put_root(scene, {.state = state, .detail = "the root branch main; 111111111111 stays in force"});
    CHECK(titles(scene.news()) == Texts{"holdfast: " + state + ": the root branch main; 111111111111 stays in force"});
    for (int poll = 0; poll < 3; ++poll) {
      scene.pass(30'000);
      CHECK(scene.news().empty());
    }
  }
  put_root(scene, {.state = "refused", .detail = "the environments of the root branch main are refused:\na.yaml:3"});
  const auto refused = scene.news();
  REQUIRE(titles(refused) == Texts{"holdfast: refused: the environments of the root branch main are refused:"});
  CHECK(refused.front().event == "refused");
  CHECK(refused.front().reason.find("a.yaml:3") != std::string::npos);
  put_root(scene, {.state = "refused", .detail = "another commit"});
  CHECK(titles(scene.news()) == Texts{"holdfast: refused: another commit"});
  put_root(scene, {});
  CHECK(titles(scene.news()) == Texts{"holdfast: the root branch main is followed again, at 111111111111"});
  CHECK(scene.news().empty());
}

TEST_CASE("what is wrong with the root branch is not told again for each environment that tracks it", "[notify]") {
  NotifyScene scene;
  EnvironmentRecord production{.name = "production", .tracked = "branch main", .state = "rewritten"};
  scene.store->put_environment(production);
  put_root(scene, {.state = "rewritten", .detail = "was rewritten"});
  CHECK(titles(scene.news()) == Texts{"holdfast: rewritten: was rewritten"});
  EnvironmentRecord staging{.name = "staging", .tracked = "branch develop", .state = "rewritten", .detail = "forced"};
  scene.store->put_environment(staging);
  CHECK(titles(scene.news()) == Texts{"staging: rewritten: forced"});
  put_root(scene, {});  // whoever runs the controller takes it, the environment does not
  CHECK(titles(scene.news()).size() == 2);
}

TEST_CASE("a repository that does not answer is told once for all environments, and when it answers", "[notify]") {
  NotifyScene scene;
  for (const char* name : {"production", "staging"}) {
    scene.store->put_environment({.name = name, .tracked = "branch main", .state = "stale", .detail = "stale"});
  }
  put_root(scene, {.stale_ms = scene.now() - 90'000});
  const auto told = scene.news();
  REQUIRE(told.size() == 1);
  CHECK(told.front().event == "source");
  CHECK(told.front().environment.empty());
  CHECK(title_of(told.front()).starts_with("holdfast: source stale since "));
  CHECK(title_of(told.front()).find("no route") != std::string::npos);
  scene.pass(30 * minute);
  CHECK(scene.news().empty());
  put_root(scene, {});
  CHECK(titles(scene.news()) == Texts{"holdfast: the repository answers again, after 31 min 30 s"});
  CHECK(scene.news().empty());
}

TEST_CASE("a host that says that it can't is told once, and when it is well again", "[notify]") {
  NotifyScene scene;
  scene.put_host("a", "converged", commit('1'));
  scene.put_host("b", "converged", commit('1'));
  scene.put_rollout(commit('1'), {"a", "b"});
  (void)scene.news();
  scene.put_host("a", "failed", commit('1'));
  scene.put_host("b", "failed", commit('1'));
  const auto told = scene.news();
  CHECK(titles(told) == Texts{"production: failed on a and b: why"});
  CHECK(is_trouble(told.front()));
  for (const char* state : {"failed", "unreachable", "failed", "deploying", "new"}) {
    scene.put_host("a", state, commit('1'));
    scene.pass(10'000);
    CHECK(scene.news().empty());
  }
  scene.put_host("a", "converged", commit('1'));
  CHECK(titles(scene.news()) == Texts{"production: well again: a"});
  scene.put_host("b", "held", commit('1'));
  CHECK(titles(scene.news()) == Texts{"production: well again: b"});
  scene.put_host("a", "failed", commit('1'));
  CHECK(titles(scene.news()) == Texts{"production: failed on a: why"});
}

TEST_CASE("people are reminded of a suspension when a tenth of it is left, an hour at most", "[notify][suspend]") {
  NotifyScene scene;
  const std::int64_t length = GENERATE(100 * minute, 20 * 60 * minute);
  const std::int64_t notice = std::min(length / 10, 60 * minute);
  scene.store->put_suspension(suspended(scene, length, "web1"));
  CHECK(scene.news().empty());
  scene.pass(length - notice - 1);
  CHECK(scene.news().empty());
  scene.pass(1);
  const auto told = scene.news();
  REQUIRE(told.size() == 1);
  CHECK(told.front().event == "suspension");
  CHECK(told.front().hosts == Texts{"web1"});
  CHECK(title_of(told.front()).starts_with("production: the suspension of web1 ends in "));
  CHECK(title_of(told.front()).find("suspended by alice since ") != std::string::npos);
  CHECK(title_of(told.front()).find("kernel tests") != std::string::npos);
  scene.pass(notice - 1);
  CHECK(scene.news().empty());
}

TEST_CASE("that a suspension is over is told once, whoever noticed first", "[notify][suspend]") {
  NotifyScene scene;
  const Suspension one = suspended(scene, 10 * minute, "web1", "cvd");
  scene.store->put_suspension(one);
  CHECK(scene.news().empty());
  scene.pass(10 * minute);
  const std::string over = "production: the suspension of application cvd on web1 is over, its time has come";
  SECTION("it is seen before it is taken away") {
    CHECK(begins(scene) == Texts{over});
    REQUIRE(scene.store->remove_suspension(one));
    CHECK(scene.news().empty());
  }
  SECTION("it is seen before another one takes its place") { CHECK(begins(scene) == Texts{over}); }
  SECTION("it was taken away meanwhile") {
    REQUIRE(scene.store->remove_suspension(one));
    CHECK(begins(scene) == Texts{over});
  }
  scene.pass(minute);
  CHECK(scene.news().empty());
  scene.store->put_suspension(suspended(scene, 10 * minute, "web1", "cvd"));  // the same again is another one
  CHECK(scene.news().empty());
  scene.pass(10 * minute);
  CHECK(begins(scene) == Texts{over});
}

TEST_CASE("a suspension that is ended by hand is told as that, one that is made longer is not over",
          "[notify][suspend]") {
  NotifyScene scene;
  scene.store->put_suspension(suspended(scene, 10 * minute));
  CHECK(scene.news().empty());
  scene.pass(9 * minute + 30'000);
  CHECK(begins(scene) == Texts{"production: the suspension ends in 30 s"});
  const Suspension longer = suspended(scene, 100 * minute);
  scene.store->put_suspension(longer);
  CHECK(scene.news().empty());
  scene.pass(90 * minute);
  CHECK(begins(scene) == Texts{"production: the suspension ends in 10 min 0 s"});
  REQUIRE(scene.store->remove_suspension(longer));
  CHECK(begins(scene) == Texts{"production: the suspension was ended by hand"});
  CHECK(scene.news().empty());
}
