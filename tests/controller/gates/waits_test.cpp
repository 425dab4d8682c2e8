#include <controller/gates/waits.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

struct Watched {
  std::unique_ptr<Store> store = Store::open(":memory:");
  std::vector<std::string> told{};

  std::string remember(const std::string& commit, const std::vector<GateAnswer>& answers, std::int64_t now_ms,
                       const std::string& host = "") {
    return remember_answers(*store, {.environment = "production", .host = host, .commit = commit}, answers, now_ms,
                            [this](const std::string& line) { told.push_back(line); });
  }
};

GateAnswer closed(const std::string& gate, const std::string& why, const std::string& found = "") {
  return {.open = false, .gate = gate, .why = why, .found = found};
}

HostRecord record(const std::string& commit, const std::string& state, std::int64_t seen_ms) {
  return {.environment = "staging", .host = "s1", .state = state, .live_commit = commit, .seen_ms = seen_ms};
}

}  // namespace

TEST_CASE("what waits keeps its time while it waits for the same commit", "[gates][store]") {
  Watched watched;
  CHECK(watched.remember("c1", {closed("disk", "disk is full", "3%")}, 100) == "disk is full");
  (void)watched.remember("c1", {closed("disk", "disk is full", "4%")}, 200);
  REQUIRE(watched.store->waits("production").size() == 1);
  CHECK(watched.store->waits("production")[0].since_ms == 100);
  CHECK(watched.store->waits("production")[0].found == "4%");
  (void)watched.remember("c2", {closed("disk", "disk is full", "4%")}, 300);
  CHECK(watched.store->waits("production")[0].since_ms == 300);
}

TEST_CASE("each change of what waits is told once, not what was measured", "[gates]") {
  Watched watched;
  (void)watched.remember("c1", {closed("disk", "disk is full", "3%")}, 100);
  (void)watched.remember("c1", {closed("disk", "disk is full", "4%")}, 200);
  (void)watched.remember("c1", {closed("disk", "disk is full", "4%"), closed("load", "busy")}, 300);
  CHECK(watched.told == std::vector<std::string>{"waits: disk is full", "waits: busy"});
  CHECK(watched.remember("c1", {{.open = true, .gate = "disk"}}, 400).empty());
  (void)watched.remember("c1", {{.open = true, .gate = "disk"}}, 500);
  CHECK(watched.told.size() == 3);
  CHECK(watched.store->waits("production").empty());
}

TEST_CASE("a host and its environment wait for themselves", "[gates][store]") {
  Watched watched;
  (void)watched.remember("c1", {closed("window", "closed")}, 100);
  (void)watched.remember("c1", {closed("disk", "full")}, 200, "web1");
  (void)watched.remember("c1", {}, 300);
  REQUIRE(watched.store->waits("production").size() == 1);
  CHECK(watched.store->waits("production")[0].host == "web1");
}

TEST_CASE("a rollout that has begun is remembered for its commit only", "[gates][store]") {
  const auto store = Store::open(":memory:");
  remember_begun(*store, "production", {"c1", true});
  remember_begun(*store, "production", {"c1", false});
  CHECK(begun_in(*store, "production").commit == "c1");
  CHECK(begun_in(*store, "production").overruns);
  CHECK(begun_in(*store, "staging").commit.empty());
  remember_begun(*store, "production", {"c2", false});
  CHECK(begun_in(*store, "production").commit == "c2");
  CHECK_FALSE(begun_in(*store, "production").overruns);
  forget_begun(*store, "production");
  CHECK(begun_in(*store, "production").commit.empty());
}

TEST_CASE("since when a host is undisturbed begins again with its state, its commit and each deployment", "[store]") {
  const auto store = Store::open(":memory:");
  const auto since = [&] { return store->undisturbed("staging").at(0).since_ms; };
  store->put_host(record("c1", "converged", 100));
  store->put_host(record("c1", "converged", 200));
  CHECK(since() == 100);
  store->put_host(record("c1", "unreachable", 300));
  store->put_host(record("c1", "converged", 400));
  CHECK(since() == 400);
  store->put_host(record("c2", "converged", 500));
  CHECK(since() == 500);
  const std::int64_t id = store->begin_deployment({.environment = "staging", .host = "s1", .begun_ms = 550});
  CHECK(since() == 500);
  store->end_deployment(id, Outcome::repaired, "", 600);
  CHECK(since() == 600);
}
