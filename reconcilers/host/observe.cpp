#include <reconcilers/host/observe.hpp>

#include <reconcilers/primitives/loaded.hpp>
#include <reconcilers/primitives/releases.hpp>
#include <reconcilers/primitives/secrets.hpp>

#include <set>

namespace holdfast {

namespace {

constexpr std::size_t max_template_bytes = 16U << 20U;

/// The states of what a unit loads; what was not observed with it is looked at now.
LoadedStates loaded_states(const System& system, const std::map<PrimitiveId, Attributes>& states, const Value& loads) {
  LoadedStates loaded;
  for (const std::string& name : loads.as_texts()) {
    const PrimitiveId id = primitive_id(name);
    const auto known = states.find(id);
    if (known != states.end()) {
      loaded.emplace_back(id, known->second);
    } else {
      const Wanted bare{.id = id};
      const Wanted* const question = &bare;
      loaded.emplace_back(id, primitive_kind(id.type).observe(system, {&question, 1}).at(0));
    }
  }
  return loaded;
}

/// Puts in what each unit has loaded, and takes out what served only to tell that.
void add_loaded(const System& system, const std::vector<const Wanted*>& wanted,
                std::map<PrimitiveId, Attributes>& states) {
  for (const Wanted* one : wanted) {
    const auto found = states.find(one->id);
    if (one->id.type != PrimitiveType::unit || found == states.end()) continue;
    Attributes& state = found->second;
    if (const auto loads = one->parameters.find("loads"); loads != one->parameters.end()) {
      const auto digest = observed_loaded(system, one->id.name, state, loaded_states(system, states, loads->second));
      if (digest) state["loaded"] = *digest;
    }
    state.erase("invocation");
    state.erase("started_us");
    state.erase("changed_us");
  }
}

}  // namespace

std::map<PrimitiveId, Attributes> observe(const System& system, const std::vector<const Wanted*>& wanted) {
  std::map<PrimitiveType, std::vector<const Wanted*>> by_type;
  const Abilities abilities = system.abilities();
  for (const Wanted* one : wanted) {
    if (is_manageable(one->id.type, abilities)) by_type[one->id.type].push_back(one);
  }
  std::map<PrimitiveId, Attributes> states;
  for (const auto& [type, group] : by_type) {
    std::vector<Attributes> observed = primitive_kind(type).observe(system, group);
    for (std::size_t i = 0; i < group.size(); ++i) states.insert_or_assign(group[i]->id, std::move(observed.at(i)));
  }
  add_loaded(system, wanted, states);
  return states;
}

Sight look_at(const System& system, const Bundle& bundle, const Inventory& inventory) {
  const std::vector<Wanted> pruned = prune_candidates(bundle, inventory);
  std::vector<const Wanted*> all;
  for (const Wanted& one : bundle.wanted) all.push_back(&one);
  for (const Wanted& one : pruned) all.push_back(&one);
  Sight sight{.states = observe(system, all)};
  for (const Wanted& one : pruned) {
    if (one.id.type == PrimitiveType::directory) sight.listings[one.id.name] = system.list(one.id.name);
  }
  return sight;
}

Bundle resolve(const System& system, const Vault& vault, const Bundle& bundle) {
  Bundle resolved = bundle;
  for (Wanted& one : resolved.wanted) resolve_in_place(system, vault, one);
  return resolved;
}

void make_secrets(System& system, const Vault& vault, const Bundle& bundle) {
  for (const Wanted& one : bundle.wanted) {
    const auto secrets = one.parameters.find("secrets");
    const auto content = one.attributes.find("content");
    if (secrets == one.parameters.end() || content == one.attributes.end()) continue;
    if (!is_pending(resolve_wanted(system, vault, one).at("content")) || !vault.has(content->second.as_text()))
      continue;
    const auto text = system.read(vault.path_of(content->second.as_text()), max_template_bytes);
    render_secrets(system, text.value_or(""), secrets->second.as_map());
  }
}

void remember_running(System& system, const PreparedPlan& prepared, const Sight& sight) {
  for (std::size_t i = 0; i < prepared.plan.actions.size(); ++i) {
    const Action& action = prepared.plan.actions[i];
    const auto loaded = action.from.find("loaded");
    const auto loads = prepared.wanted[i].parameters.find("loads");
    if (action.id.type != PrimitiveType::unit || loaded == action.from.end()) continue;
    if (loads == prepared.wanted[i].parameters.end()) continue;
    const LoadedStates on_disk = loaded_states(system, sight.states, loads->second);
    if (loaded->second != Value(loaded_digest(on_disk))) continue;
    std::vector<PrimitiveId> ids;
    for (const auto& [id, state] : on_disk) ids.push_back(id);
    remember_loaded(system, action.id.name, ids);
  }
}

std::vector<std::string> missing_contents(const System& system, const Vault& vault, const PreparedPlan& prepared,
                                          const Bundle& bundle) {
  std::map<PrimitiveId, const Wanted*> as_sent;  // a resolved file names its rendered content, not its template
  for (const Wanted& one : bundle.wanted) as_sent.emplace(one.id, &one);
  std::set<std::string> missing;
  for (const Action& action : prepared.plan.actions) {
    const auto wanted = as_sent.find(action.id);
    if (wanted == as_sent.end()) continue;
    for (std::string& digest : needed_contents(system, vault, *wanted->second, action.from))
      missing.insert(std::move(digest));
  }
  return {missing.begin(), missing.end()};
}

}  // namespace holdfast
