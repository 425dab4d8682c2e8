#include <reconcilers/host/planner.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using namespace holdfast;

namespace {

std::string letter(std::mt19937& random) { return std::string(64, static_cast<char>('a' + random() % 3)); }

Attributes random_state(PrimitiveType type, std::mt19937& random) {
  if (type == PrimitiveType::unit) {
    Attributes state{{"enabled", random() % 2 == 0 ? "enabled" : "disabled"}, {"daemon", "current"}};
    state["active"] = random() % 2 == 0 ? "running" : "stopped";
    if (state.at("active") == Value("running")) state["loaded"] = letter(random);
    return state;
  }
  if (random() % 3 == 0) return {{"present", false}};
  if (type == PrimitiveType::file)
    return {{"present", true}, {"content", letter(random)}, {"mode", 0600 + static_cast<int>(random() % 2)}};
  if (type == PrimitiveType::link) return {{"present", true}, {"target", letter(random)}};
  return {{"present", true}, {"mode", 0700 + static_cast<int>(random() % 2)}};
}

struct Sample {
  Bundle bundle{};
  Sight sight{};
};

Sample random_sample(unsigned seed) {
  std::mt19937 random(seed);
  Sample sample;
  const std::size_t count = 1 + random() % 12;
  for (std::size_t i = 0; i < count; ++i) {
    constexpr PrimitiveType types[] = {PrimitiveType::directory, PrimitiveType::file, PrimitiveType::link,
                                       PrimitiveType::unit};
    const PrimitiveType type = types[random() % 4];
    const std::string name =
        type == PrimitiveType::unit ? "u" + std::to_string(i) + ".service" : "/p" + std::to_string(i);
    Wanted wanted{.id = {type, name}, .attributes = random_state(type, random)};
    wanted.attributes.erase("loaded");
    List loads;
    for (const Wanted& other : sample.bundle.wanted) {
      if (random() % 3 != 0) continue;
      wanted.after.push_back(other.id);
      if (type == PrimitiveType::unit && other.id.type == PrimitiveType::file) loads.emplace_back(to_text(other.id));
    }
    if (!loads.empty()) wanted.parameters["loads"] = std::move(loads);
    sample.sight.states[wanted.id] = random_state(type, random);
    sample.bundle.wanted.push_back(std::move(wanted));
  }
  return sample;
}

Sight after(const Sight& sight, const Plan& plan) {
  Sight next = sight;
  for (const Action& action : plan.actions) next.states[action.id] = action.to;
  return next;
}

}  // namespace

TEST_CASE("a plan that was done leaves nothing to plan", "[plan][law]") {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    const Sample sample = random_sample(seed);
    const PreparedPlan prepared = make_plan(sample.bundle, sample.sight, {}, {});
    const PreparedPlan again = make_plan(sample.bundle, after(sample.sight, prepared.plan), {}, {});
    REQUIRE(again.plan.actions.empty());
  }
}

TEST_CASE("a plan changes only attributes that are wanted", "[plan][law]") {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    const Sample sample = random_sample(seed);
    const PreparedPlan prepared = make_plan(sample.bundle, sample.sight, {}, {});
    for (std::size_t i = 0; i < prepared.plan.actions.size(); ++i) {
      const Action& action = prepared.plan.actions[i];
      const bool leaves = action.to == Attributes{{"present", false}};
      for (const auto& [key, value] : action.from) {
        if (leaves || prepared.wanted[i].attributes.contains(key)) continue;
        REQUIRE(action.to.contains(key));
        REQUIRE(action.to.at(key) == value);
      }
    }
  }
}

TEST_CASE("equal bundles and sights give equal plans", "[plan][law]") {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    const Sample sample = random_sample(seed);
    PreparedPlan one = make_plan(sample.bundle, sample.sight, {}, {});
    PreparedPlan other = make_plan(sample.bundle, sample.sight, {}, {});
    seal(one.plan, "bundle");
    seal(other.plan, "bundle");
    REQUIRE(to_value(one.plan) == to_value(other.plan));
  }
}

TEST_CASE("the plan's digest changes with what was observed and decides", "[plan]") {
  Sample sample = random_sample(1);
  sample.bundle.wanted = {{.id = {PrimitiveType::file, "/a"}, .attributes = {{"present", true}, {"content", "x"}}}};
  sample.sight.states[{PrimitiveType::file, "/a"}] = {{"present", true}, {"content", "y"}};
  Plan one = make_plan(sample.bundle, sample.sight, {}, {}).plan;
  sample.sight.states[{PrimitiveType::file, "/a"}] = {{"present", true}, {"content", "z"}};
  Plan other = make_plan(sample.bundle, sample.sight, {}, {}).plan;
  seal(one, "bundle");
  seal(other, "bundle");
  CHECK(one.digest != other.digest);
}
