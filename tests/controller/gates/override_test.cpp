#include <controller/gates/override.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

const Override given{.environment = "production",
                     .commit = "c1",
                     .by = "alice",
                     .reason = "the shop is down",
                     .since_ms = 1000,
                     .until_ms = 5000};

}  // namespace

TEST_CASE("an override is for one commit of one environment, and ends by itself", "[gates]") {
  const auto store = Store::open(":memory:");
  CHECK_FALSE(override_of(*store, "production", "c1", 1000));
  put_override(*store, given);
  REQUIRE(override_of(*store, "production", "c1", 1000));
  CHECK(override_of(*store, "production", "c1", 1000)->by == "alice");
  CHECK(override_of(*store, "production", "", 4999)->reason == "the shop is down");
  CHECK_FALSE(override_of(*store, "production", "c1", 5000));
  CHECK_FALSE(override_of(*store, "production", "c1", 999));
  CHECK_FALSE(override_of(*store, "production", "c2", 2000));
  CHECK_FALSE(override_of(*store, "staging", "c1", 2000));
}

TEST_CASE("an override can be ended, once", "[gates]") {
  const auto store = Store::open(":memory:");
  put_override(*store, given);
  CHECK(end_override(*store, "production", 2000));
  CHECK_FALSE(override_of(*store, "production", "c1", 2000));
  CHECK_FALSE(end_override(*store, "production", 2000));
}
