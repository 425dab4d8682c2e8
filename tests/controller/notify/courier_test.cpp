#include "../health/test_server.hpp"
#include "notify_scene.hpp"

#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

using namespace holdfast;
using namespace holdfast::test;

namespace {

void put(NotifyScene& scene, const SinkSettings& sink, int count) {
  News news;
  for (int i = 0; i < count; ++i) {
    news.notes.push_back({.id = "note-" + std::to_string(i), .event = "deployed", .environment = "production"});
  }
  scene.queue->use_sinks({sink.name});
  scene.queue->put(news, {sink}, scene.now());
}

std::vector<std::string> ids_of(const std::vector<std::string>& requests) {
  std::vector<std::string> ids;
  for (const std::string& request : requests) {
    const std::size_t at = request.find("X-Holdfast-Delivery: ") + 21;
    ids.push_back(request.substr(at, request.find('\r', at) - at));
  }
  return ids;
}

}  // namespace

TEST_CASE("what waits is delivered in its order, once each", "[notify]") {
  NotifyScene scene;
  const TestServer server([](const std::string&) { return http_answer(204, ""); });
  const SinkSettings sink = scene.webhook("hook", server.url("/in"));
  put(scene, sink, 3);
  Courier courier(sink, *scene.queue, scene.clock, scene.on_progress(), scene.stop);
  CHECK(courier.turn() == Courier::nothing_waits);
  CHECK(courier.turn() == Courier::nothing_waits);
  CHECK(ids_of(server.requests()) == std::vector<std::string>{"note-0", "note-1", "note-2"});
  CHECK(scene.queue->sinks().front().delivered_ms == scene.now());
  CHECK(scene.said().empty());
}

TEST_CASE("a sink that fails is tried again with growing pauses, in order, and is told to work again", "[notify]") {
  NotifyScene scene;
  std::atomic<int> failures = 4;
  const TestServer server([&](const std::string&) { return http_answer(failures-- > 0 ? 500 : 200, ""); });
  const SinkSettings sink = scene.webhook("hook", server.url("/in"));
  put(scene, sink, 2);
  Courier courier(sink, *scene.queue, scene.clock, scene.on_progress(), scene.stop);
  std::int64_t longest = 1'000;
  for (int i = 0; i < 4; ++i, longest *= 2) {
    const std::int64_t pause = courier.turn();
    CHECK(pause <= longest);
    CHECK(pause > longest * 3 / 4 - 1);
    CHECK(courier.turn() == pause);  // nothing is sent before it is over
    scene.pass(pause);
  }
  CHECK(scene.queue->sinks().front().failing_since_ms == 1'795'248'000'000);
  CHECK(scene.queue->sinks().front().why == "answered 500");
  CHECK(courier.turn() == Courier::nothing_waits);
  CHECK(ids_of(server.requests()) ==
        std::vector<std::string>{"note-0", "note-0", "note-0", "note-0", "note-0", "note-1"});
  CHECK(scene.queue->sinks().front().failing_since_ms == 0);
  CHECK(scene.said() ==
        "notify hook: fails: answered 500; what is told waits and is tried again\nnotify hook: works again\n");
}

TEST_CASE("pauses end at ten minutes, what waited a day is given up, and newer things are still told", "[notify]") {
  NotifyScene scene;
  bool up = false;
  const TestServer server([&up](const std::string&) { return http_answer(up ? 200 : 503, ""); });
  const SinkSettings sink = scene.webhook("hook", server.url("/in"));
  put(scene, sink, 1);
  Courier courier(sink, *scene.queue, scene.clock, scene.on_progress(), scene.stop);
  int tries = 0;
  std::int64_t waited = 0;
  while (scene.said().find("given up after a day") == std::string::npos && tries < 1'000) {
    const std::int64_t pause = courier.turn();
    if (pause == Courier::nothing_waits) break;
    CHECK(pause <= 600'000);
    waited += pause;
    ++tries;
    scene.pass(pause);
  }
  CHECK(tries < 250);
  CHECK(waited > 86'000'000);
  CHECK(scene.said().find("given up after a day: production: deployed") != std::string::npos);
  up = true;
  put(scene, sink, 1);
  courier.turn();
  CHECK_FALSE(scene.queue->next("hook"));
}

TEST_CASE("a sink's own wish for patience counts", "[notify]") {
  NotifyScene scene;
  const TestServer server([](const std::string&) { return http_answer(429, "", "Retry-After: 30\r\n"); });
  const SinkSettings sink = scene.webhook("hook", server.url("/in"));
  put(scene, sink, 1);
  CHECK(Courier(sink, *scene.queue, scene.clock, scene.on_progress(), scene.stop).turn() == 30'000);
}

TEST_CASE("what a sink does not take is given up after three tries and holds up nothing", "[notify]") {
  NotifyScene scene;
  const TestServer server([](const std::string& request) {
    return http_answer(request.find("note-0") != std::string::npos ? 422 : 200, "no such thing");
  });
  const SinkSettings sink = scene.webhook("hook", server.url("/in"));
  put(scene, sink, 2);
  Courier courier(sink, *scene.queue, scene.clock, scene.on_progress(), scene.stop);
  for (int i = 0; i < 2; ++i) scene.pass(courier.turn());
  CHECK(courier.turn() == Courier::nothing_waits);
  CHECK(ids_of(server.requests()) == std::vector<std::string>{"note-0", "note-0", "note-0", "note-1"});
  CHECK(scene.said().find("does not take \"production: deployed") != std::string::npos);
}

TEST_CASE("the first message after a queue overflowed says how many are missing", "[notify]") {
  NotifyScene scene;
  const TestServer server([](const std::string&) { return http_answer(200, ""); });
  const SinkSettings sink = scene.webhook("hook", server.url("/in"));
  put(scene, sink, static_cast<int>(NotifyQueue::most_waiting) + 5);
  std::atomic<bool> enough = false;
  Courier courier(
      sink, *scene.queue, scene.clock, [&](const Progress&) { enough = true; }, enough);
  courier.turn();
  const auto requests = server.requests();
  REQUIRE(requests.size() >= 1);
  CHECK(requests.front().find("5 more were dropped while this sink was away") != std::string::npos);
  CHECK(scene.queue->sinks().front().dropped == 0);
}

#if defined(HOLDFAST_FAILPOINTS)
TEST_CASE("a queue that can't be written after a delivery makes no second one", "[notify]") {
  NotifyScene scene;
  const TestServer server([](const std::string&) { return http_answer(200, ""); });
  const SinkSettings sink = scene.webhook("hook", server.url("/in"));
  put(scene, sink, 1);
  Courier courier(sink, *scene.queue, scene.clock, scene.on_progress(), scene.stop);
  set_failpoint_hook([](const char* name) {
    if (std::string(name) == "notify.sent") throw Error("the disk is full");
  });
  CHECK_THROWS_AS(courier.turn(), Error);
  CHECK_THROWS_AS(courier.turn(), Error);
  set_failpoint_hook({});
  CHECK(courier.turn() == Courier::nothing_waits);
  CHECK(server.requests().size() == 1);
  CHECK_FALSE(scene.queue->next("hook"));
}

TEST_CASE("a controller that dies between a delivery and its record delivers again, under the same id", "[notify]") {
  NotifyScene scene;
  const TestServer server([](const std::string&) { return http_answer(200, ""); });
  const SinkSettings sink = scene.webhook("hook", server.url("/in"));
  put(scene, sink, 1);
  set_failpoint_hook([](const char* name) {
    if (std::string(name) == "notify.sent") throw std::string("killed");
  });
  CHECK_THROWS_AS(Courier(sink, *scene.queue, scene.clock, scene.on_progress(), scene.stop).turn(), std::string);
  set_failpoint_hook({});
  CHECK(Courier(sink, *scene.queue, scene.clock, scene.on_progress(), scene.stop).turn() == Courier::nothing_waits);
  CHECK(ids_of(server.requests()) == std::vector<std::string>{"note-0", "note-0"});
}
#endif

TEST_CASE("a sink that hangs is left at once at the end, and that is no failure of it", "[notify]") {
  NotifyScene scene;
  const TestServer server([](const std::string&) { return TestServer::hang; });
  const SinkSettings sink = scene.webhook("hook", server.url("/in"));
  put(scene, sink, 1);
  Courier courier(sink, *scene.queue, scene.clock, scene.on_progress(), scene.stop);
  const auto begun = std::chrono::steady_clock::now();
  const std::jthread end([&scene] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    scene.stop = true;
  });
  courier.turn();
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(2));
  CHECK(scene.queue->sinks().front().failing_since_ms == 0);
  CHECK(scene.queue->next("hook")->tries == 0);
}
