#include <controller/plan/reasons.hpp>

#include <catch2/catch.hpp>

#include "plan_samples.hpp"

using namespace holdfast;
using namespace holdfast::test;

namespace {

const PrimitiveId motd = {PrimitiveType::file, "/etc/motd"};
const std::string live_commit = "3f2a1b9c4d5e6f708192a3b4c5d6e7f801234567";

Wanted file(const std::string& content, int mode) {
  return {.id = motd, .attributes = {{"present", true}, {"content", content}, {"mode", mode}}};
}

/// A plan of one file that goes from what is on the host to what is wanted.
struct Case {
  Bundle wanted{};
  Bundle live{};
  Plan plan{};
  Background known{};

  Case(const Wanted& on_host, const Wanted& deployed, const Wanted& asked_for) {
    wanted.wanted = {asked_for};
    live.wanted = {deployed};
    plan.actions = {{.id = motd, .from = on_host.attributes, .to = asked_for.attributes}};
    plan.actions.front().origin = {.resource = "File/motd", .position = {.file = "motd.yaml", .line = 1}};
    known.live_commit = live_commit;
    known.asked = [](const Origin& origin, bool gone) {
      return Asked{.by = "9b1c \"Greet\"" + std::string(gone ? " removing " + origin.resource : "")};
    };
  }
  std::vector<std::string> reasons() {
    known.wanted = &wanted;
    known.live = &live;
    return reasons_of(plan, known)[motd];
  }
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("what a commit asks for is told with that commit", "[cli]") {
  Case one(file("a", 420), file("a", 420), file("b", 384));
  CHECK(one.reasons() == Texts{"content and mode: asked for by 9b1c \"Greet\""});
}

TEST_CASE("what nobody asked for is drift, with what was deployed and what is there", "[cli]") {
  Case one(file("x", 384), file("a", 420), file("a", 420));
  CHECK(one.reasons() == Texts{"drift: content is not what 3f2a1b9c4d5e was deployed with",
                               "drift: mode is 0600, 3f2a1b9c4d5e was deployed with 0644"});
  SECTION("unless the environment's settings are others by now") {
    one.known.live_is_exact = false;
    CHECK(one.reasons()[0].starts_with("drift, or a setting of the environment: content"));
  }
  SECTION("something removed by hand is told so") {
    one.plan.actions.front().from = {{"present", false}};
    CHECK(one.reasons() == Texts{"drift: 3f2a1b9c4d5e was deployed with it, and it is gone"});
  }
}

TEST_CASE("an asked-for change and drift of one thing are told apart", "[cli]") {
  Case one(file("a", 384), file("a", 420), file("b", 420));
  CHECK(one.reasons() ==
        Texts{"content: asked for by 9b1c \"Greet\"", "drift: mode is 0600, 3f2a1b9c4d5e was deployed with 0644"});
}

TEST_CASE("a first deployment, a new thing, and one that no manifest names any more", "[cli]") {
  Case one(file("a", 420), file("a", 420), file("b", 420));
  SECTION("nothing was verified before") {
    one.known.live_commit.clear();
    CHECK(one.reasons() == Texts{"nothing was verified on this host before; asked for by 9b1c \"Greet\""});
  }
  SECTION("new") {
    one.live.wanted.clear();
    CHECK(one.reasons() == Texts{"new: asked for by 9b1c \"Greet\""});
  }
  SECTION("no longer named") {
    one.wanted.wanted.clear();
    CHECK(one.reasons() == Texts{"no manifest names it any more, since 9b1c \"Greet\" removing File/motd"});
  }
  SECTION("a manifest that is older than what is live is not blamed") {
    one.known.asked = [](const Origin&, bool) { return Asked{.by = "old", .is_live = true}; };
    CHECK(one.reasons() ==
          Texts{"content: its manifest is as it was (old); a variable or something that it refers to changed"});
  }
}

TEST_CASE("a unit's restart is told with the things that it loads and that change", "[cli]") {
  const HostPlan host = full_plan("web1");
  Bundle wanted;
  for (const Action& action : host.plan.actions) wanted.wanted.push_back({.id = action.id, .attributes = action.to});
  const Background known{.wanted = &wanted, .live = &wanted, .live_commit = live_commit};
  auto all = reasons_of(host.plan, known);
  CHECK(all[{PrimitiveType::unit, "cvd.service"}] ==
        Texts{"loads link:/opt/cvd/app, which changes", "loads file:/opt/cvd/config/.env, which changes"});
  CHECK(all[{PrimitiveType::unit, "worker.service"}] == Texts{"it runs with something older than what is on the host"});
}
