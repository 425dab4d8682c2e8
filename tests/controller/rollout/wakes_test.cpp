#include <controller/rollout/wakes.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

using Hosts = std::vector<std::string>;

}  // namespace

TEST_CASE("a host that says something is due at once, and once for all that it said", "[wakes]") {
  Wakes wakes;
  CHECK(wakes.due(0).empty());
  wakes.heard("a");
  wakes.heard("a");
  wakes.heard("b");
  CHECK(wakes.due(5) == Hosts{"a", "b"});
  CHECK(wakes.due(5).empty());
  CHECK(wakes.due(100'000).empty());
}

TEST_CASE("two turns of one host keep their distance, and what was said meanwhile is not lost", "[wakes]") {
  Wakes wakes;
  wakes.heard("a");
  REQUIRE(wakes.due(1'000).size() == 1);
  wakes.heard("a");
  CHECK(wakes.due(2'999).empty());
  wakes.heard("b");
  CHECK(wakes.due(2'999) == Hosts{"b"});
  CHECK(wakes.due(3'000) == Hosts{"a"});
}

TEST_CASE("a host that never stops gets a few turns, and then one now and then", "[wakes]") {
  Wakes wakes;
  int turns = 0;
  for (std::int64_t now = 0; now < 600'000; now += 100) {
    wakes.heard("a");
    turns += static_cast<int>(wakes.due(now).size());
  }
  CHECK(turns >= 60);
  CHECK(turns <= 60 + Wakes::at_once + 1);
  // After a rest it is like any other.
  wakes.due(600'000);
  CHECK(wakes.due(900'000).size() <= 1);
  for (int i = 0; i < Wakes::at_once; ++i) {
    wakes.heard("a");
    CHECK(wakes.due(2'000'000 + i * Wakes::between_ms).size() == 1);
  }
}
