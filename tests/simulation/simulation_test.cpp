#include "world.hpp"

#include <catch2/catch.hpp>

using namespace holdfast::simulation;

TEST_CASE("a fleet takes every good commit and stays on it, on any seed", "[simulation]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome outcome = simulate(seed, {.faults = false});
    INFO("seed " << seed);
    CHECK(outcome.violations == std::vector<std::string>{});
  }
}

TEST_CASE("the same seed gives the same course of events", "[simulation]") {
  CHECK(simulate(7).digest == simulate(7).digest);
  CHECK(simulate(7).digest != simulate(8).digest);
}
