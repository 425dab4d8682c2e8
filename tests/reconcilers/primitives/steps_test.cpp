// The pure half of the primitives that can't run below a prefix: their laws on real hosts are in tests/lab.
#include "machine.hpp"

#include <manifests/error.hpp>
#include <reconcilers/primitives/package.hpp>
#include <reconcilers/primitives/unit_states.hpp>

#include <catch2/catch.hpp>

#include <algorithm>

namespace holdfast {
namespace {

const Attributes absent = {{"present", false}};

std::vector<std::string> verbs(const Steps& steps) {
  std::vector<std::string> names;
  for (const Step& step : steps.list) names.push_back(step.verb);
  return names;
}

using Verbs = std::vector<std::string>;

Attributes unit_state(const char* enabled, const char* active, const char* loaded = nullptr) {
  Attributes state{{"enabled", enabled}, {"active", active}, {"daemon", "current"}};
  if (loaded != nullptr) state["loaded"] = loaded;
  return state;
}

Wanted unit(const char* on_change) {
  return {.id = {PrimitiveType::unit, "app.service"},
          .parameters = {{"on_change", on_change}, {"loads", List{"file:/etc/app"}}}};
}

Verbs unit_verbs(const Attributes& from, const Attributes& to, const char* on_change = "restart") {
  return verbs(steps_of(unit(on_change), from, to));
}

}  // namespace

TEST_CASE("a unit is enabled before it starts, and stops before it is disabled") {
  const Attributes off = unit_state("disabled", "stopped");
  const Attributes on = unit_state("enabled", "running", "d1");
  CHECK(unit_verbs(off, on) == Verbs{"unit.enable", "unit.start", "unit.loaded"});
  CHECK(unit_verbs(on, off) == Verbs{"unit.stop", "unit.disable"});
  CHECK(unit_verbs(on, on).empty());
}

TEST_CASE("what a unit loads takes it through one restart, one reload or nothing") {
  const Attributes before = unit_state("enabled", "running", "d1");
  const Attributes after = unit_state("enabled", "running", "d2");
  CHECK(unit_verbs(before, after, "restart") == Verbs{"unit.restart", "unit.loaded"});
  CHECK(unit_verbs(before, after, "reload") == Verbs{"unit.reload", "unit.loaded"});
  CHECK(unit_verbs(before, after, "none") == Verbs{"unit.daemon_reload", "unit.loaded"});
  CHECK(unit_verbs(unit_state("enabled", "running", "unknown"), after) == Verbs{"unit.restart", "unit.loaded"});
}

TEST_CASE("a masked unit is unmasked first, and masking stops nothing by itself") {
  const Attributes masked = unit_state("masked", "stopped");
  const Attributes on = unit_state("enabled", "running");
  CHECK(unit_verbs(masked, on) == Verbs{"unit.unmask", "unit.enable", "unit.start"});
  CHECK(unit_verbs(on, masked) == Verbs{"unit.stop", "unit.mask"});
  CHECK(unit_verbs(masked, unit_state("disabled", "stopped")) == Verbs{"unit.unmask"});
  CHECK(unit_verbs(unit_state("enabled", "running"), unit_state("masked", "running")) == Verbs{"unit.mask"});
}

TEST_CASE("a failed unit differs from both, and is left stopped by an undo") {
  const Attributes failed = unit_state("enabled", "failed");
  CHECK(unit_verbs(failed, unit_state("enabled", "running")) == Verbs{"unit.start"});
  CHECK(unit_verbs(failed, unit_state("enabled", "stopped")) == Verbs{"unit.stop"});
  CHECK(unit_verbs(unit_state("enabled", "running"), failed) == Verbs{"unit.stop"});
}

TEST_CASE("a stale daemon is told before anything starts") {
  Attributes stale = unit_state("enabled", "stopped");
  stale["daemon"] = "stale";
  CHECK(unit_verbs(stale, unit_state("enabled", "running")) == Verbs{"unit.daemon_reload", "unit.start"});
  CHECK(unit_verbs(unit_state("enabled", "running"), stale) == Verbs{"unit.stop"});
}

TEST_CASE("systemd's words for enablement are seen from what is wanted") {
  CHECK(observed_enabled("enabled", "enabled") == "enabled");
  CHECK(observed_enabled("enabled", "") == "disabled");
  CHECK(observed_enabled("disabled", "static") == "disabled");
  CHECK(observed_enabled("enabled", "static") == "static");
  CHECK(observed_enabled("static", "static") == "static");
  CHECK(observed_enabled("enabled", "alias") == "enabled");
  CHECK(observed_enabled("enabled", "generated") == "enabled");
  CHECK(observed_enabled("enabled", "enabled-runtime") == "enabled-runtime");
  CHECK(observed_enabled("enabled", "masked-runtime") == "masked");
  CHECK(observed_enabled("", "enabled") == "enabled");
}

TEST_CASE("a unit is observed in a manifest's words") {
  const Wanted wanted{.id = {PrimitiveType::unit, "x.service"}};
  const auto active = [&](const char* state) {
    return unit_attributes(wanted, {.active = state}).at("active").as_text();
  };
  CHECK(active("active") == "running");
  CHECK(active("activating") == "running");
  CHECK(active("reloading") == "running");
  CHECK(active("inactive") == "stopped");
  CHECK(active("deactivating") == "stopped");
  CHECK(active("failed") == "failed");
  const Attributes missing = unit_attributes(wanted, {.load = "not-found", .active = "inactive"});
  CHECK(missing == Attributes{{"enabled", "disabled"}, {"active", "stopped"}, {"daemon", "current"}});
}

TEST_CASE("all packages of a host go through one apt transaction") {
  const Wanted nginx{.id = {PrimitiveType::package, "nginx"}};
  const Wanted redis{.id = {PrimitiveType::package, "redis"}};
  const Wanted apache{.id = {PrimitiveType::package, "apache2"}};
  const Steps install = steps_of(nginx, absent, {{"present", true}});
  const Steps pin =
      steps_of(redis, {{"present", true}, {"version", "5:6.0"}}, {{"present", true}, {"version", "5:7.0"}});
  const Steps remove = steps_of(apache, {{"present", true}, {"version", "2.4"}}, absent);
  const Step merged = merge_package_steps({install.list.at(0), pin.list.at(0), remove.list.at(0)});
  const Verbs argv = apt_arguments(merged);
  CHECK(Verbs(argv.end() - 6, argv.end()) ==
        Verbs{"--allow-downgrades", "install", "--", "nginx", "redis=5:7.0", "apache2-"});
  CHECK(std::find(argv.begin(), argv.end(), "--no-remove") == argv.end());
  CHECK_FALSE(pin.irreversible.empty());
  CHECK_FALSE(remove.irreversible.empty());
  CHECK(install.irreversible.empty());
}

TEST_CASE("an installation removes nothing, and a removal alone takes plain names") {
  const Step install{"package.apply", {{"install", List{Map{{"name", "nginx"}}}}}};
  const Verbs argv = apt_arguments(install);
  CHECK(std::find(argv.begin(), argv.end(), "--no-remove") != argv.end());
  const Step remove{"package.apply", {{"remove", List{Map{{"name", "nginx"}}}}}};
  const Verbs removal = apt_arguments(remove);
  CHECK(Verbs(removal.end() - 3, removal.end()) == Verbs{"remove", "--", "nginx"});
  const Step hostile{"package.apply", {{"install", List{Map{{"name", "-o=x"}}}}}};
  CHECK_THROWS_AS(apt_arguments(hostile), Error);
}

TEST_CASE("a package's version counts only where it is pinned") {
  const Wanted nginx{.id = {PrimitiveType::package, "nginx"}};
  const Attributes there{{"present", true}, {"version", "1.22"}};
  CHECK(steps_of(nginx, there, overlay(there, {{"present", true}})).list.empty());
  const Steps undo = steps_of(nginx, absent, there);
  CHECK(undo.list.at(0).arguments.at("install").as_list().at(0).at("version") == Value("1.22"));
}

TEST_CASE("a half-installed package is installed again, and an undo does not break it again") {
  const Wanted nginx{.id = {PrimitiveType::package, "nginx"}};
  const Attributes broken{{"present", true}, {"version", "1.22"}, {"state", "broken"}};
  const Attributes whole = overlay(broken, {{"state", "installed"}});
  CHECK(verbs(steps_of(nginx, broken, whole)) == Verbs{"package.apply"});
  const Verbs argv = apt_arguments(steps_of(nginx, broken, whole).list.at(0));
  CHECK(std::ranges::find(argv, "--reinstall") != argv.end());
  CHECK(steps_of(nginx, whole, broken).list.empty());
  CHECK(steps_of(nginx, broken, absent).list.at(0).arguments.contains("remove"));
}

TEST_CASE("a user's change names only what differs, and its undo gives it back") {
  const Wanted alice{.id = {PrimitiveType::user, "alice"}, .parameters = {{"create_home", true}}};
  const Attributes from{{"present", true}, {"shell", "/bin/sh"}, {"groups", List{"adm"}}, {"uid", 1001}};
  const Attributes to = overlay(from, {{"shell", "/bin/bash"}, {"groups", List{"adm", "docker"}}});
  const Steps steps = steps_of(alice, from, to);
  REQUIRE(verbs(steps) == Verbs{"user.set"});
  CHECK(steps.list[0].arguments == Map{{"name", "alice"}, {"shell", "/bin/bash"}, {"groups", List{"adm", "docker"}}});
  CHECK(steps_of(alice, to, from).list[0].arguments ==
        Map{{"name", "alice"}, {"shell", "/bin/sh"}, {"groups", List{"adm"}}});
  CHECK(verbs(steps_of(alice, absent, to)) == Verbs{"user.add"});
  const Steps removal = steps_of(alice, from, absent);
  CHECK(verbs(removal) == Verbs{"user.remove"});
  CHECK_FALSE(removal.irreversible.empty());
}

TEST_CASE("a group is added with its parameters and changed by its number") {
  const Wanted group{.id = {PrimitiveType::group, "web"}, .parameters = {{"system", true}}};
  const Steps add = steps_of(group, absent, {{"present", true}, {"gid", 700}});
  CHECK(add.list.at(0) == Step{"group.add", {{"name", "web"}, {"gid", 700}, {"system", true}}});
  CHECK(verbs(steps_of(group, {{"present", true}, {"gid", 5}}, {{"present", true}, {"gid", 6}})) == Verbs{"group.set"});
  CHECK(verbs(steps_of(group, {{"present", true}, {"gid", 5}}, absent)) == Verbs{"group.remove"});
}

TEST_CASE("what can't be managed here is observed as it is wanted") {
  TestMachine machine;
  const Wanted unit_wanted{.id = {PrimitiveType::unit, "x.service"}, .attributes = {{"active", "running"}}};
  CHECK(observe_one(*machine.system, unit_wanted) == unit_wanted.attributes);
  const Wanted user{.id = {PrimitiveType::user, "carol"}, .attributes = {{"present", true}, {"uid", 4}}};
  CHECK(observe_one(*machine.system, user) == user.attributes);
}

}  // namespace holdfast
