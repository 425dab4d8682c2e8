// Golden plans: tests/golden/host_plans/<case>/{wanted.json, observed.json, plan.txt}. HOLDFAST_ACCEPT=1 rewrites
// plan.txt, and the case then counts as skipped.
#include <reconcilers/host/planner.hpp>

#include "temporary.hpp"

#include <manifests/json.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

using namespace holdfast;

namespace {

Bundle bundle_of(const Value& value) {
  Bundle bundle{.environment = "test", .host = "host"};
  bundle.prune = value.bool_or("prune", true);
  for (const Value& one : value.at("wanted").as_list()) bundle.wanted.push_back(wanted_from(one));
  if (const Value* validators = value.find("validators")) {
    for (const Value& one : validators->as_list()) bundle.validators.push_back(validator_from(one));
  }
  return bundle;
}

Sight sight_of(const Value& value) {
  Sight sight;
  for (const auto& [id, state] : value.at("states").as_map()) sight.states[primitive_id(id)] = state.as_map();
  if (const Value* listings = value.find("listings")) {
    for (const auto& [path, names] : listings->as_map()) sight.listings[path] = names.as_texts();
  }
  return sight;
}

Inventory inventory_of(const Value& value) {
  const Value* entries = value.find("inventory");
  return entries == nullptr ? Inventory() : inventory_from(Map{{"entries", *entries}});
}

Abilities abilities_of(const Value& value) {
  Abilities abilities;
  const Value* why = value.find("below_a_prefix");
  if (why == nullptr) return abilities;
  return {.units = false, .packages = false, .accounts = false, .ownership = true, .why = why->as_text()};
}

std::string steps_text(const char* title, const std::vector<Step>& steps) {
  std::string text;
  for (const Step& step : steps)
    text += std::string("    ") + title + " " + step.verb + " " + to_json(step.arguments) + "\n";
  return text;
}

std::string plan_text(const Plan& plan) {
  std::string text;
  for (const Action& action : plan.actions) {
    text += (action.kind == ActionKind::prune ? "- " : "~ ") + to_text(action.id) + "\n";
    std::set<std::string> keys;
    for (const auto& [key, value] : action.from) keys.insert(key);
    for (const auto& [key, value] : action.to) keys.insert(key);
    for (const std::string& key : keys) {
      const Value from = action.from.contains(key) ? action.from.at(key) : Value();
      const Value to = action.to.contains(key) ? action.to.at(key) : Value();
      if (from != to) text += "    " + key + ": " + to_json(from) + " -> " + to_json(to) + "\n";
    }
    text += steps_text("do", action.steps) + steps_text("undo", action.undo);
    for (const std::string& why : action.irreversible) text += "    irreversible: " + why + "\n";
  }
  for (const Validator& one : plan.validators) text += "validate " + one.name + "\n";
  for (const Refusal& one : plan.refusals)
    text += "refused " + to_text(one.id) + ": " + one.what + ": " + one.hint + "\n";
  for (const std::string& note : plan.notes) text += "note: " + note + "\n";
  return text.empty() ? "nothing to do\n" : text;
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(HOLDFAST_GOLDEN)) names.push_back(entry.path().string());
  std::ranges::sort(names);
  return names;
}

}  // namespace

TEST_CASE("plans are the golden ones", "[plan][golden]") {
  const bool accept = std::getenv("HOLDFAST_ACCEPT") != nullptr;
  const std::vector<std::string> folders = cases();
  REQUIRE(folders.size() > 5);
  for (const std::string& folder : folders) {
    INFO(folder);
    const Value observed = from_json(read_file(folder + "/observed.json"));
    const Bundle bundle = bundle_of(from_json(read_file(folder + "/wanted.json")));
    const PreparedPlan prepared = make_plan(bundle, sight_of(observed), inventory_of(observed), abilities_of(observed));
    CHECK(prepared.wanted.size() == prepared.plan.actions.size());
    const std::string text = plan_text(prepared.plan);
    if (accept) {
      write_file(folder + "/plan.txt", text);
      WARN("skipped, and accepted as it is: " << folder);
    } else {
      CHECK(text == read_file(folder + "/plan.txt"));
    }
  }
}
