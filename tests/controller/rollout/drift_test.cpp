// Drift that the policy says is only told.
#include "scene.hpp"

using namespace holdfast;

namespace {

void vandalise(const Scene& fleet, const std::string& text = "vandal") {
  std::ofstream(fleet.root("a").string() + "/etc/motd") << text;
}

std::string other(const std::string& text) {
  return "apiVersion: holdfast.dev/v1\nkind: EnvFile\nmetadata: {name: o}\nspec: {path: /etc/other, values: {A: " +
         text + "}}\n";
}

/// Converged, with drift of files left as it is.
void begin(Scene& fleet, const std::string& drift) {
  fleet.write("motd.yaml", motd("one"));
  fleet.write("other.yaml", other("x"));
  fleet.write("environment.yaml", fleet.environment("main") + "  drift: " + drift + "\n");
  fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
}

std::size_t deployments(Scene& fleet) { return fleet.store().deployments("test", "", 100).size(); }

}  // namespace

TEST_CASE("drift that is only told is left as it is, said once, until somebody sets it", "[drift]") {
  Scene fleet;
  begin(fleet, "{selfHeal: false}");
  vandalise(fleet);
  const std::size_t before = deployments(fleet);
  for (int i = 0; i < 3; ++i) CHECK(fleet.result() == HostResult::drifted);
  CHECK(exit_code(fleet.turn()) == 3);
  CHECK(fleet.read("/etc/motd") == "vandal");
  CHECK(deployments(fleet) == before);
  CHECK(fleet.store().host("test", "a")->state == "drifted");
  CHECK(fleet.store().host("test", "a")->detail.find("file:/etc/motd") != std::string::npos);
  CHECK(fleet.store().host("test", "a")->detail.find("file:/etc/motd changed at ") != std::string::npos);
  CHECK(fleet.said().find("drifted: ") != std::string::npos);
  CHECK(fleet.said().find("drifted: ") == fleet.said().rfind("drifted: "));

  SECTION("a new commit sets what drifted, too") {
    fleet.write("other.yaml", other("z"));
    fleet.commit("second");
    const HostResult result = fleet.result();
    INFO(fleet.said());
    CHECK(result == HostResult::deployed);
    CHECK(fleet.read("/etc/motd") == "one\n");
    CHECK(fleet.store().host("test", "a")->state == "converged");
    CHECK(fleet.store().deployments("test", "", 1).at(0).cause == "commit");
  }
  SECTION("whoever changed it takes it back") {
    vandalise(fleet, "one\n");
    CHECK(fleet.result() == HostResult::unchanged);
    CHECK(fleet.store().host("test", "a")->state == "converged");
  }
  SECTION("a person asks for the repair") {
    CHECK(fleet.run_program("apply test") == 3);
    CHECK(fleet.read("/etc/motd") == "vandal");
    CHECK(fleet.run_program("apply test --repair") == 0);
    CHECK(fleet.read("/etc/motd") == "one\n");
    CHECK(fleet.store().deployments("test", "", 1).at(0).cause == "drift");
  }
  SECTION("the policy changes") {
    fleet.write("environment.yaml", fleet.environment("main"));
    fleet.commit("heal");
    CHECK(fleet.result() == HostResult::repaired);
    CHECK(fleet.read("/etc/motd") == "one\n");
  }
}

TEST_CASE("a repair keeps who made the drift, as far as the host knows", "[drift]") {
  Scene fleet;
  begin(fleet, "{selfHeal: true}");
  const std::int64_t before = system_clock().wall_ms();
  vandalise(fleet);
  SECTION("whoever puts it right") { REQUIRE(fleet.result() == HostResult::repaired); }
  SECTION("also where the controller dies on the way") {
    REQUIRE(fleet.run_program("apply test", "turn.healthy kill") == 137);
    fleet.turn();
  }
  const Deployment repair = fleet.store().deployments("test", "a", 1).at(0);
  REQUIRE(repair.outcome == Outcome::repaired);
  const std::vector<ChangeTrace> made = kept_plan(repair.plan).changed_by;
  REQUIRE(made.size() == 1);
  CHECK(made[0].id == "file:/etc/motd");
  CHECK(made[0].at_ms > before - 60'000);
  CHECK(made[0].at_ms < before + 60'000);
  CHECK_FALSE(made[0].by.empty());
  CHECK(kept_plan(fleet.store().deployments("test", "a", 2).at(1).plan).changed_by.empty());
}

TEST_CASE("drift of one kind is only told while another kind's is put right beside it", "[drift]") {
  Scene fleet;
  begin(fleet, "{kinds: {File: false}}");
  vandalise(fleet);
  std::ofstream(fleet.root("a").string() + "/etc/other") << "vandal";
  CHECK(fleet.result() == HostResult::repaired);
  CHECK(fleet.read("/etc/motd") == "vandal");
  INFO(fleet.read("/etc/other") << fleet.said());
  CHECK(fleet.read("/etc/other").find("vandal") == std::string::npos);
  CHECK(fleet.store().host("test", "a")->state == "drifted");
  CHECK(fleet.result() == HostResult::drifted);
}

TEST_CASE("what stands in a drifted file's place is no refusal where drift is only told", "[drift]") {
  Scene fleet;
  begin(fleet, "{selfHeal: false}");
  std::filesystem::remove(fleet.root("a").string() + "/etc/motd");
  std::filesystem::create_directories(fleet.root("a").string() + "/etc/motd/in");
  CHECK(fleet.result() == HostResult::drifted);
  CHECK(deployments(fleet) == 1);
}
