#include "machine.hpp"

#include <reconcilers/primitives/loaded.hpp>
#include <reconcilers/primitives/place.hpp>

#include <catch2/catch.hpp>

#include <chrono>

namespace holdfast {
namespace {

const PrimitiveId file_id{PrimitiveType::file, "/srv/conf"};

std::int64_t monotonic_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

Attributes running(const char* invocation, std::int64_t started_us) {
  return {{"active", "running"}, {"invocation", invocation}, {"started_us", started_us}};
}

LoadedStates states(const char* content) { return {{file_id, {{"present", true}, {"content", content}}}}; }

}  // namespace

TEST_CASE("the digest of what is loaded knows content, and absence, and no order") {
  const PrimitiveId link{PrimitiveType::link, "/srv/app"};
  const Attributes there{{"present", true}, {"target", "releases/a"}};
  CHECK(loaded_digest(states("a")) != loaded_digest(states("b")));
  CHECK(loaded_digest({{file_id, {{"present", false}}}}) != loaded_digest(states("")));
  CHECK(loaded_digest({{file_id, {}}, {link, there}}) == loaded_digest({{link, there}, {file_id, {}}}));
}

TEST_CASE("a unit that does not run has nothing loaded") {
  const TestMachine machine;
  CHECK_FALSE(observed_loaded(*machine.system, "a.service", {{"active", "stopped"}}, states("a")).has_value());
}

TEST_CASE("what is remembered counts for its own invocation only") {
  TestMachine machine;
  ensure_folder(*machine.system, state_folder);
  machine.write("/var/lib/holdfast/loaded.json", R"({"a.service": {"digest": "remembered", "invocation": "i1"}})");
  machine.write("/srv/conf", "x");
  const std::int64_t long_ago = 1;
  CHECK(observed_loaded(*machine.system, "a.service", running("i1", long_ago), states("x")) == "remembered");
  CHECK(observed_loaded(*machine.system, "a.service", running("i2", long_ago), states("x")) == "unknown");
  CHECK(observed_loaded(*machine.system, "b.service", running("i1", long_ago), states("x")) == "unknown");
}

TEST_CASE("who reloads a unit by hand makes it take in what is on the disk then") {
  TestMachine machine;
  ensure_folder(*machine.system, state_folder);
  machine.write("/var/lib/holdfast/loaded.json",
                R"({"a.service": {"digest": "remembered", "invocation": "i1", "changed_us": 100}})");
  machine.write("/srv/conf", "x");
  const auto reloaded_at = [&](std::int64_t changed_us) {
    Attributes state = running("i1", 1);
    state["changed_us"] = changed_us;
    return observed_loaded(*machine.system, "a.service", state, states("x"));
  };
  CHECK(reloaded_at(100) == "remembered");
  CHECK(reloaded_at(monotonic_us() + 5'000'000) == loaded_digest(states("x")));
  CHECK(reloaded_at(monotonic_us() - 3'600'000'000) == "unknown");
}

TEST_CASE("a process that started after the last change has loaded what is on the disk") {
  TestMachine machine;
  machine.write("/srv/conf", "x");
  const std::int64_t later = monotonic_us() + 5'000'000;
  CHECK(observed_loaded(*machine.system, "a.service", running("i", later), states("x")) == loaded_digest(states("x")));
  const std::int64_t earlier = monotonic_us() - 3'600'000'000;
  CHECK(observed_loaded(*machine.system, "a.service", running("i", earlier), states("x")) == "unknown");
  CHECK(observed_loaded(*machine.system, "a.service", running("i", 0), states("x")) == "unknown");
}

TEST_CASE("a damaged memory is no memory") {
  TestMachine machine;
  ensure_folder(*machine.system, state_folder);
  machine.write("/var/lib/holdfast/loaded.json", "{\"a.service\": ");
  CHECK(observed_loaded(*machine.system, "a.service", running("i", 1), {}) == loaded_digest({}));
}

}  // namespace holdfast
