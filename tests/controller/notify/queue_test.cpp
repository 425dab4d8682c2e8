#include "notify_scene.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::test;

namespace {

News notes(int count, const std::string& revision = "") {
  News news;
  for (int i = 0; i < count; ++i) {
    news.notes.push_back(
        {.id = std::to_string(i), .event = "deployed", .environment = "production", .revision = revision});
  }
  return news;
}

}  // namespace

TEST_CASE("what waits for a sink is there after a restart, and gone once it was delivered", "[notify]") {
  NotifyScene scene;
  scene.queue->put(notes(2), {NotifyScene::sink("team")}, scene.now());
  scene.queue = NotifyQueue::open(scene.state_file());
  const auto first = scene.queue->next("team");
  REQUIRE(first);
  CHECK(first->note.id == "0");
  CHECK(scene.queue->next("team")->id == first->id);
  scene.queue->delivered(*first, scene.now());
  scene.queue = NotifyQueue::open(scene.state_file());
  CHECK(scene.queue->next("team")->note.id == "1");
}

TEST_CASE("a queue has an end: the oldest go, and are counted", "[notify]") {
  NotifyScene scene;
  scene.queue->use_sinks({"team", "other"});
  scene.queue->put(notes(7), {NotifyScene::sink("team"), NotifyScene::sink("other")}, scene.now());
  scene.queue->put(notes(static_cast<int>(NotifyQueue::most_waiting)), {NotifyScene::sink("team")}, scene.now());
  const auto records = scene.queue->sinks();
  REQUIRE(records.size() == 2);
  CHECK(records[0].waiting == 7);
  CHECK(records[0].dropped == 0);
  CHECK(records[1].waiting == static_cast<std::int64_t>(NotifyQueue::most_waiting));
  CHECK(records[1].dropped == 7);
  CHECK(scene.queue->next("team")->note.id == "0");
  scene.queue->told_of_dropped("team", 7);
  CHECK(scene.queue->sinks()[1].dropped == 0);
}

TEST_CASE("what happened before there was any sink is not told, nor what a removed one was to hear", "[notify]") {
  NotifyScene scene;
  scene.deploy("a", commit('1'), Outcome::rolled_back);
  scene.queue->use_sinks({"team"});
  CHECK(scene.news().empty());
  scene.deploy("a", commit('2'), Outcome::rolled_back);
  scene.queue->use_sinks({"team", "second"});  // a restart: what was not told yet is not forgotten
  CHECK(scene.queue->ended(10).size() == 1);
  scene.queue->put(notes(1), {NotifyScene::sink("second")}, scene.now());
  scene.queue->use_sinks({"team"});
  CHECK_FALSE(scene.queue->next("second"));
  scene.queue->use_sinks({});
  CHECK(scene.queue->ended(10).empty());
  CHECK(scene.queue->sinks().empty());
}

TEST_CASE("a newer commit status takes the place of one that still waits", "[notify]") {
  NotifyScene scene;
  SinkSettings status = NotifyScene::sink("status");
  status.type = "github";
  News news = notes(1, commit('1'));
  scene.queue->put(news, {status}, scene.now());
  news.notes.front().id = "newer";
  scene.queue->put(news, {status}, scene.now());
  scene.queue->put(notes(1, commit('2')), {status}, scene.now());
  const auto first = scene.queue->next("status");
  REQUIRE(first);
  CHECK(first->note.id == "newer");
  scene.queue->delivered(*first, scene.now());
  CHECK(scene.queue->next("status")->note.revision == commit('2'));
}

TEST_CASE("endings that nobody takes are kept up to a limit", "[notify]") {
  NotifyScene scene;
  const std::int64_t id = scene.store->begin_deployment({.environment = "production", .host = "a"});
  for (int i = 0; i < 20; ++i) {
    scene.store->end_deployment(id, Outcome::refused, "", scene.now());
    scene.store->end_deployment(id, Outcome::deployed, "", scene.now());
  }
  CHECK(scene.queue->ended(100'000).size() == 40);
}
