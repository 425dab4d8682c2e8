// Somebody else goes on changing what holdfast puts right.
#include "scene.hpp"

#include <controller/rollout/contended.hpp>

using namespace holdfast;

namespace {

constexpr std::int64_t minute = 60'000;

Bundle bundle_of(const std::string& content) {
  Bundle bundle;
  bundle.wanted.push_back({.id = {PrimitiveType::file, "/etc/motd"}, .attributes = {{"content", content}}});
  return bundle;
}

std::vector<Fight> fights(const Bundle& bundle, const std::vector<std::int64_t>& at_ms) {
  std::vector<Fight> list;
  for (const std::int64_t at : at_ms) list.push_back({"file:/etc/motd", wanted_digest(bundle, "file:/etc/motd"), at});
  return list;
}

void vandalise(const Scene& fleet) { std::ofstream(fleet.root("a").string() + "/etc/motd") << "vandal"; }

}  // namespace

TEST_CASE("three repairs within ten minutes are a fight, as long as the same is wanted", "[contended]") {
  const Bundle bundle = bundle_of("x");
  CHECK(contended(fights(bundle, {0, minute}), bundle).empty());
  CHECK(contended(fights(bundle, {0, 6 * minute, 11 * minute}), bundle).empty());
  REQUIRE(contended(fights(bundle, {0, 6 * minute, 10 * minute}), bundle).size() == 1);
  // It stays so however long ago it was.
  const auto found = contended(fights(bundle, {0, 6 * minute, 11 * minute, 15 * minute, 90 * minute}), bundle);
  REQUIRE(found.size() == 1);
  CHECK(found[0].at_ms == std::vector<std::int64_t>{6 * minute, 11 * minute, 15 * minute});
  CHECK(contended(fights(bundle, {0, 1, 2}), bundle_of("y")).empty());
  CHECK(contended(fights(bundle, {0, 1, 2}), {}).empty());
}

TEST_CASE("what somebody else changes again and again is left alone, and said", "[contended]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
  for (int i = 0; i < 3; ++i) {
    vandalise(fleet);
    CHECK(fleet.result() == HostResult::repaired);
    CHECK(fleet.read("/etc/motd") == "one\n");
  }
  CHECK(fleet.said().find("contended: file:/etc/motd was changed by somebody else 3 times") != std::string::npos);
  vandalise(fleet);
  const std::size_t before = fleet.store().deployments("test", "", 100).size();
  for (int i = 0; i < 3; ++i) CHECK(fleet.result() == HostResult::contended);
  CHECK(fleet.read("/etc/motd") == "vandal");
  CHECK(fleet.store().deployments("test", "", 100).size() == before);
  CHECK(fleet.store().host("test", "a")->state == "contended");
  CHECK(exit_code(fleet.turn()) == 3);
  const std::string& said = fleet.said();
  CHECK(said.find("contended: ") == said.rfind("contended: "));

  SECTION("a person says retry") {
    fleet.store().remove_fights("test", "");
    CHECK(fleet.result() == HostResult::repaired);
    CHECK(fleet.read("/etc/motd") == "one\n");
  }
  SECTION("something else is wanted of it") {
    fleet.write("motd.yaml", motd("two"));
    fleet.commit("second");
    CHECK(fleet.result() == HostResult::deployed);
    CHECK(fleet.read("/etc/motd") == "two\n");
    CHECK(fleet.store().host("test", "a")->state == "converged");
  }
  SECTION("what else is wanted goes out beside it") {
    fleet.write("other.yaml",
                "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: o}\nspec: {path: /etc/other, text: x}\n");
    fleet.commit("more");
    CHECK(fleet.result() == HostResult::deployed);
    CHECK(fleet.read("/etc/other") == "x");
    CHECK(fleet.read("/etc/motd") == "vandal");
    CHECK(fleet.store().host("test", "a")->state == "contended");
  }
}

TEST_CASE("a state file that can't be written holds no host in the middle, and all is told once it can", "[truth]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("good one") + check(fleet, "a", "good"));
  fleet.commit("first");
  REQUIRE(fleet.run_program("apply test") == 0);
  for (int at = 1; at <= 9; ++at) {
    INFO("write " << at);
    const std::string text = "good " + std::to_string(at);
    fleet.write("motd.yaml", motd(text) + check(fleet, "a", "good"));
    const std::string commit = fleet.commit(text);
    fleet.run_program("apply test", "store.commit#" + std::to_string(at) + " error:ENOSPC");
    int code = 1;
    for (int i = 0; i < 3 && code != 0; ++i) code = fleet.run_program("apply test");
    INFO(fleet.output());
    CHECK(code == 0);
    CHECK(fleet.read("/etc/motd") == text + "\n");
    const Deployment newest = fleet.store().deployments("test", "", 1).at(0);
    CHECK(newest.commit == commit);
    CHECK(newest.outcome == Outcome::deployed);
    CHECK(fleet.store().unsettled("test", "a").empty());
    CHECK(fleet.store().host("test", "a")->live_commit == commit);
  }
}
