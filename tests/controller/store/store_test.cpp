#include <controller/store/life_sign.hpp>
#include <controller/store/store.hpp>
#include <controller/store/write_queue.hpp>

#include <controller/store/schema.hpp>
#include <manifests/error.hpp>

#include <SQLiteCpp/SQLiteCpp.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace holdfast;

namespace {

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-store-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

Deployment deployment(const std::string& environment, const std::string& host) {
  Deployment d;
  d.environment = environment;
  d.host = host;
  d.transaction = "t-12345678";
  d.commit = std::string(40, 'a');
  d.cause = "commit";
  d.plan = "[]";
  d.begun_ms = 1000;
  return d;
}

}  // namespace

TEST_CASE("history lists deployments newest first, by environment and host", "[store]") {
  const auto store = Store::open(":memory:");
  store->begin_deployment(deployment("staging", "a"));
  const auto second = store->begin_deployment(deployment("production", "b"));
  store->begin_deployment(deployment("staging", "c"));
  CHECK(store->deployments("", "", 10).front().host == "c");
  CHECK(store->deployments("staging", "", 10).size() == 2);
  CHECK(store->deployments("staging", "a", 10).size() == 1);
  CHECK(store->deployments("", "", 2).size() == 2);
  store->end_deployment(second, Outcome::rolled_back, "health", 2000);
  CHECK(store->deployment(second)->outcome == Outcome::rolled_back);
  CHECK(store->deployment(second)->reason == "health");
  CHECK_FALSE(store->deployment(99).has_value());
}

TEST_CASE("what was acknowledged is there for the next process", "[store]") {
  const Folder folder;
  const std::string path = folder.path / "state.db";
  std::int64_t epoch = 0;
  {
    const auto store = Store::open(path);
    const auto id = store->begin_deployment(deployment("staging", "a"));
    store->add_event(id, 1, "first");
    store->add_event(id, 2, "second");
    store->put_hold({"staging", "a", "digest", "commit", "why", 5, id});
    store->put_pin({"staging", "head", "target", "me", "because", 6});
    epoch = store->next_epoch();
  }
  const auto store = Store::open(path);
  REQUIRE(store->events(1).size() == 2);
  CHECK(store->events(1)[1].text == "second");
  REQUIRE(store->holds("staging").size() == 1);
  CHECK(store->holds("staging")[0].reason == "why");
  CHECK(store->pin("staging")->target == "target");
  CHECK(store->next_epoch() > epoch);
  CHECK(std::filesystem::status(path).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("how the backups of a host stood is kept with it", "[store]") {
  const auto store = Store::open(":memory:");
  HostRecord host{.environment = "staging", .host = "a", .state = "converged"};
  store->put_host(host);
  CHECK(store->host("staging", "a")->backups.empty());
  host.backups = R"([{"policy":"app"}])";
  store->put_host(host);
  CHECK(store->host("staging", "a")->backups == host.backups);
  CHECK(store->hosts("staging").at(0).backups == host.backups);
}

TEST_CASE("what came of a deployment, and how long restarts took, is kept", "[store]") {
  const auto store = Store::open(":memory:");
  const auto id = store->begin_deployment(deployment("staging", "a"));
  CHECK(store->deployment(id)->result.empty());
  store->put_result(id, "{}");
  CHECK(store->deployment(id)->result == "{}");
  store->put_downs("staging", "a", {{"app.service", 300}, {"db.service", 9}});
  store->put_downs("staging", "a", {{"app.service", 400}});
  CHECK(store->downs("staging", "a") == std::map<std::string, std::int64_t>{{"app.service", 400}, {"db.service", 9}});
  CHECK(store->downs("staging", "b").empty());
}

TEST_CASE("a state file of the first version is brought to this one with all that is in it", "[store]") {
  const Folder folder;
  const std::string path = folder.path / "state.db";
  {
    SQLite::Database old(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    old.exec(std::string(store_migrations().front()));
    old.exec(
        "INSERT INTO deployments VALUES (7,'staging','a','t','c','','s','w','commit','me','deployed','','[]',1,2)");
    old.exec("PRAGMA user_version = 1");
  }
  const auto store = Store::open(path);
  REQUIRE(store->deployment(7));
  CHECK(store->deployment(7)->ended_ms == 2);
  CHECK(store->deployment(7)->result.empty());
}

TEST_CASE("many threads write at once, and everything is in the file when they return", "[store]") {
  const Folder folder;
  const std::string path = folder.path / "state.db";
  const auto store = Store::open(path);
  std::vector<std::thread> threads;
  std::atomic<int> seen{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      const std::string host = "h" + std::to_string(i);
      for (int turn = 0; turn < 10; ++turn) {
        const auto id = store->begin_deployment(deployment("staging", host));
        store->add_event(id, 1, host);
        store->end_deployment(id, Outcome::deployed, "", 2);
        if (store->deployment(id)->host == host && store->events(id).size() == 1) ++seen;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(seen == 160);
  CHECK(Store::open(path)->deployments("staging", "", 1000).size() == 160);
}

TEST_CASE("an event is in the file with the end of its deployment", "[store]") {
  const Folder folder;
  const std::string path = folder.path / "state.db";
  const auto store = Store::open(path);
  const auto id = store->begin_deployment(deployment("staging", "a"));
  store->add_event(id, 1, "first");
  CHECK(store->events(id).size() == 1);
  store->add_event(id, 2, "second");
  store->end_deployment(id, Outcome::deployed, "", 3);
  CHECK(Store::open(path)->events(id).size() == 2);
}

TEST_CASE("a write that fails takes no other with it", "[store]") {
  WriteQueue queue;
  std::vector<int> done;
  const auto transaction = [](const auto& all) { all(); };
  CHECK_THROWS_AS(queue.write([] { throw Error("no"); }, transaction), Error);
  queue.write([&] { done.push_back(1); }, transaction);
  CHECK(done == std::vector<int>{1});
  const auto broken = [](const auto& all) {
    all();
    throw Error("the disk is full");
  };
  CHECK_THROWS_AS(queue.write([&] { done.push_back(2); }, broken), Error);
}

TEST_CASE("when hosts were seen is written for many at once, and never goes back", "[store]") {
  const auto store = Store::open(":memory:");
  store->put_host({.environment = "staging", .host = "a", .state = "converged", .seen_ms = 5});
  store->put_host({.environment = "staging", .host = "b", .state = "converged", .seen_ms = 50});
  store->saw_hosts("staging", {{"a", 10}, {"b", 10}, {"unknown", 10}});
  CHECK(store->host("staging", "a")->seen_ms == 10);
  CHECK(store->host("staging", "b")->seen_ms == 50);
  CHECK_FALSE(store->host("staging", "unknown"));
}

TEST_CASE("a hold is lifted for one host or for all of an environment", "[store]") {
  const auto store = Store::open(":memory:");
  store->put_hold({"staging", "a", "d1", "c", "r", 1, 1});
  store->put_hold({"staging", "b", "d1", "c", "r", 1, 1});
  store->put_hold({"production", "a", "d1", "c", "r", 1, 1});
  CHECK(store->remove_holds("staging", "a") == 1);
  CHECK(store->holds("staging").size() == 1);
  CHECK(store->remove_holds("staging", "") == 1);
  CHECK(store->holds("").size() == 1);
}

TEST_CASE("a late watch is kept by host, and only ended by who has the same one", "[store]") {
  const auto store = Store::open(":memory:");
  LateWatch watch{.environment = "production",
                  .host = "web1",
                  .deployment = 7,
                  .commit = "c",
                  .bundle = "b",
                  .back_to = "before",
                  .begun_ms = 1,
                  .for_ms = 60'000,
                  .tally = "{}"};
  store->put_late_watches({watch});
  CHECK(store->late_watches("production") == std::vector<LateWatch>{watch});
  CHECK(store->late_watches("staging").empty());
  LateWatch next = watch;
  next.deployment = 8;
  store->put_late_watches({next});
  store->remove_late_watch(watch);
  CHECK(store->late_watches("production") == std::vector<LateWatch>{next});
  store->remove_late_watch(next);
  CHECK(store->late_watches("production").empty());
}

TEST_CASE("a state file that is none, or of a newer version, is refused in words", "[store]") {
  const Folder folder;
  const std::string garbage = folder.path / "garbage.db";
  std::ofstream(garbage) << std::string(4096, 'x');
  CHECK_THROWS_WITH(Store::open(garbage), Catch::Contains("garbage.db") && Catch::Contains("can't be opened"));
}

TEST_CASE("what has no end is found by host, the oldest first", "[store]") {
  const auto store = Store::open(":memory:");
  const auto first = store->begin_deployment(deployment("staging", "a"));
  const auto second = store->begin_deployment(deployment("staging", "a"));
  const auto third = store->begin_deployment(deployment("staging", "a"));
  store->begin_deployment(deployment("staging", "b"));
  store->end_deployment(second, Outcome::deployed, "", 2);
  store->end_deployment(third, Outcome::unknown, "contact lost", 3);
  const auto found = store->unsettled("staging", "a");
  REQUIRE(found.size() == 2);
  CHECK(found[0].id == first);
  CHECK(found[1].id == third);
  CHECK(store->unsettled("", "").size() == 3);
}

TEST_CASE("a process lives as long as its sign is locked", "[store]") {
  const Folder folder;
  const std::string signs = folder.path / "processes";
  std::string id;
  {
    const LifeSign sign(signs);
    id = sign.id();
    CHECK(process_lives(signs, id));
    const LifeSign other(signs);
    CHECK(process_lives(signs, id));
    CHECK(other.id() != id);
  }
  CHECK_FALSE(process_lives(signs, id));
  CHECK_FALSE(process_lives(signs, ""));
  CHECK_FALSE(process_lives(signs, "../../etc/passwd"));
  std::ofstream(signs + "/0123456789abcdef") << "";
  CHECK_FALSE(process_lives(signs, "0123456789abcdef"));
  const LifeSign next(signs);
  CHECK_FALSE(std::filesystem::exists(signs + "/0123456789abcdef"));
}
