#include "../health/test_server.hpp"
#include "notify_scene.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

using namespace holdfast;
using namespace holdfast::test;

namespace {

/// Bounded: five seconds.
bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 250; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

}  // namespace

TEST_CASE("a sink that hangs holds up neither the others nor the store, and the end comes at once", "[notify]") {
  NotifyScene scene;
  scene.clock = system_clock();
  const TestServer slow([](const std::string&) { return TestServer::hang; });
  const TestServer swift([](const std::string&) { return http_answer(200, ""); });
  const std::vector<SinkSettings> sinks = {scene.webhook("slow", slow.url("/")),
                                           scene.webhook("swift", swift.url("/"))};
  auto notifier = std::make_unique<Notifier>(sinks, scene.state_file(), *scene.store, scene.clock, scene.on_progress());
  for (char digit = '1'; digit <= '5'; ++digit) {
    const auto begun = std::chrono::steady_clock::now();
    scene.deploy("a", commit(digit), Outcome::rolled_back, "why");
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(1));
    const auto expected = static_cast<std::size_t>(digit - '0');
    CHECK(eventually([&] { return swift.requests().size() == expected; }));
  }
  CHECK(slow.requests().size() == 1);
  const auto begun = std::chrono::steady_clock::now();
  notifier.reset();
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(2));
  CHECK(scene.queue->sinks().at(0).waiting == 5);
}

TEST_CASE("what could not be delivered is delivered by the next notifier", "[notify]") {
  NotifyScene scene;
  scene.clock = system_clock();
  std::atomic<bool> up = false;
  const TestServer server([&up](const std::string&) { return http_answer(up ? 200 : 502, ""); });
  const std::vector<SinkSettings> sinks = {scene.webhook("hook", server.url("/"))};
  {
    const Notifier first(sinks, scene.state_file(), *scene.store, scene.clock, scene.on_progress());
    scene.deploy("a", commit('1'), Outcome::rolled_back, "why");
    CHECK(eventually([&] { return !server.requests().empty(); }));
  }
  up = true;
  scene.deploy("a", commit('2'), Outcome::rolled_back, "why");  // while there is none
  const auto before = server.requests().size();
  const Notifier second(sinks, scene.state_file(), *scene.store, scene.clock, scene.on_progress());
  CHECK(eventually([&] { return server.requests().size() == before + 2; }));
  CHECK(eventually([&] { return scene.queue->sinks().at(0).waiting == 0; }));
}
