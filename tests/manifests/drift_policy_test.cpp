#include <manifests/fleet.hpp>
#include <tests/manifests/fleet_builder.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::test;

namespace {

EnvironmentsResult read(const std::string& drift) {
  return load_environments(MemoryTree({{"deploy/env.yaml",
                                        "apiVersion: holdfast.dev/v1\nkind: Environment\nmetadata: {name: a}\nspec:\n"
                                        "  track: {branch: main}\n  hosts: [{name: web1}]\n" +
                                            drift}}),
                           {});
}

}  // namespace

TEST_CASE("drift is put right unless the policy says otherwise, for all or for a kind", "[drift]") {
  const auto policy = [](const std::string& drift) {
    const EnvironmentsResult result = read(drift);
    INFO(rendered(result.problems));
    REQUIRE(result.environments.size() == 1);
    return result.environments[0].drift;
  };
  CHECK(policy("").heals_all());
  CHECK(policy("  drift: {}\n").heals("File/motd"));
  CHECK_FALSE(policy("  drift: {selfHeal: false}\n").heals("File/motd"));
  const DriftPolicy one = policy("  drift: {kinds: {NginxSite: false}}\n");
  CHECK_FALSE(one.heals_all());
  CHECK_FALSE(one.heals("NginxSite/cvd"));
  CHECK(one.heals("File/motd"));
  CHECK(one.heals(""));
  const DriftPolicy other = policy("  drift: {selfHeal: false, kinds: {File: true}}\n");
  CHECK(other.heals("File/motd"));
  CHECK_FALSE(other.heals("SystemdUnit/cvd.service"));
  CHECK_FALSE(other.heals(""));
}

TEST_CASE("a drift policy of an unknown kind is refused at its place", "[drift]") {
  CHECK(tells(read("  drift: {kinds: {Fil: false}}\n").problems, "7:19", "there is no kind \"Fil\""));
  CHECK(tells(read("  drift: {kinds: {Environment: false}}\n").problems, "7:19", "no kind \"Environment\""));
  CHECK(tells(read("  drift: {selfHeal: maybe}\n").problems, "", "true or false"));
}
