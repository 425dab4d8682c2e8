#include <controller/gates/gates.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

constexpr std::int64_t hour = 3'600'000;
const std::string wanted(40, 'a');
const std::string other(40, 'b');
const EnvironmentGate gate{.environment = "staging", .healthy_for_ms = hour, .hosts = {"s1", "s2"}};

Undisturbed host(const std::string& name, std::int64_t since_ms, const std::string& commit = wanted,
                 const std::string& state = "converged") {
  return {.host = name, .commit = commit, .state = state, .since_ms = since_ms};
}

}  // namespace

TEST_CASE("another environment opens when the last of its hosts has been healthy for the time", "[gates]") {
  const std::vector<Undisturbed> hosts = {host("s1", 1000), host("s2", 5000)};
  CHECK_FALSE(ask(gate, wanted, hosts, 5000 + hour - 1).open);
  CHECK(ask(gate, wanted, hosts, 5000 + hour).open);
}

TEST_CASE("a gate says since when its time runs and until when, in words that stay the same", "[gates]") {
  const std::vector<Undisturbed> hosts = {host("s1", 1000), host("s2", 5000)};
  const GateAnswer early = ask(gate, wanted, hosts, 10'000);
  const GateAnswer late = ask(gate, wanted, hosts, 60'000);
  CHECK(early.gate == "environment staging");
  CHECK(early.why == late.why);
  CHECK(early.why.find("since 1970-01-01 00:00:05Z, so until 1970-01-01 01:00:05Z") != std::string::npos);
  CHECK(early.found != late.found);
}

TEST_CASE("another environment with another commit, an unhealthy or an unknown host does not open", "[gates]") {
  const std::int64_t late = 100 * hour;
  CHECK(ask(gate, wanted, {host("s1", 1), host("s2", 1, other)}, late).why.find("s2 is at bbbbbbbbbbbb") !=
        std::string::npos);
  CHECK_FALSE(ask(gate, wanted, {host("s1", 1), host("s2", 1, other)}, late).open);
  CHECK_FALSE(ask(gate, wanted, {host("s1", 1), host("s2", 1, wanted, "degraded")}, late).open);
  CHECK_FALSE(ask(gate, wanted, {host("s1", 1)}, late).open);
  CHECK(ask(gate, wanted, {host("s1", 1)}, late).why.find("s2 has no verified state yet") != std::string::npos);
}

TEST_CASE("a time that runs since the future, by a clock set back, does not open", "[gates]") {
  const GateAnswer answer = ask(gate, wanted, {host("s1", 9 * hour), host("s2", 1)}, hour);
  CHECK_FALSE(answer.open);
}

TEST_CASE("a suspended host keeps no gate closed, but opens none by itself", "[gates][suspend]") {
  const std::int64_t late = 100 * hour;
  CHECK(ask(gate, wanted, {host("s1", 1), host("s2", 1, other, "suspended")}, late).open);
  CHECK_FALSE(ask(gate, wanted, {host("s1", 1, wanted, "suspended"), host("s2", 1, other, "suspended")}, late).open);
}

TEST_CASE("a commit with the very files of the one that another environment has is proven by it", "[gates]") {
  const auto store = Store::open(":memory:");
  for (const char* name : {"s1", "s2"}) {
    store->put_host({.environment = "staging",
                     .host = name,
                     .state = "converged",
                     .live_commit = other,
                     .seen_ms = 1,
                     .changed_ms = 1});
  }
  const GatesPolicy gates{.environments = {gate}};
  const auto ask_with = [&](bool same) {
    return ask_environment(gates, "production", wanted, *store, 100 * hour,
                           [same](const std::string& commit) { return same && commit == other; });
  };
  CHECK(ask_with(true).at(0).open);
  CHECK_FALSE(ask_with(false).at(0).open);
}
