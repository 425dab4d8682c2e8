#include <reconcilers/host/planner.hpp>

#include <manifests/digest.hpp>
#include <manifests/json.hpp>
#include <reconcilers/host/before_deploy.hpp>
#include <reconcilers/primitives/command.hpp>
#include <reconcilers/primitives/loaded.hpp>
#include <reconcilers/primitives/place.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

namespace {

bool is_at(const Attributes& attributes, std::string_view key, std::string_view text) {
  const auto found = attributes.find(key);
  return found != attributes.end() && found->second == Value(text);
}

/// What the primitive will be: an absent one has no other attribute; what is made from nothing has what is wanted.
Attributes goal_of(const Attributes& from, const Attributes& wanted) {
  const auto present = wanted.find("present");
  if (present != wanted.end() && present->second == Value(false)) return wanted;
  Attributes to = overlay(from, wanted);
  const auto content = wanted.find("content");
  const auto size = wanted.find("size");
  if (content != wanted.end() && size == wanted.end() && differs(from, to, "content")) to.erase("size");
  return to;
}

std::string why_left(const Wanted& wanted, const Attributes& from) {
  if (!wanted.parameters.contains("suspended")) return "somebody else goes on changing it";
  return goal_of(from, wanted.attributes) == from ? "it is suspended"
                                                  : "it is suspended, and differs from what is wanted";
}

bool lies_below(const std::string& path, const std::string& folder) {
  return path == folder || folder == "/" || path.starts_with(folder + "/");
}

/// Collects what a bundle asks of a host as moves, and what has to be told besides.
class Planner {
 public:
  Planner(const Bundle& bundle, const Sight& sight, const Inventory& inventory, const Abilities& abilities,
          const std::set<PrimitiveId>& leave)
      : bundle_(bundle), sight_(sight), inventory_(inventory), abilities_(abilities), leave_(leave) {}

  PreparedPlan plan() {
    add_wanted();
    add_pruned();
    tell_released();
    tell_loaded();
    PreparedPlan prepared = plan_moves(std::move(moves_), abilities_);
    prepared.plan.refusals = std::move(refusals_);
    prepared.plan.notes = std::move(notes_);
    add_validators(prepared.plan, prepared.wanted);
    add_backups(prepared);
    return prepared;
  }

 private:
  void add_wanted() {
    std::map<PrimitiveType, int> left_out;
    for (const Wanted& wanted : bundle_.wanted) {
      if (is_manageable(wanted.id.type, abilities_)) {
        add(wanted, ActionKind::change);
      } else {
        ++left_out[wanted.id.type];
      }
    }
    for (const auto& [type, count] : left_out) {
      const std::string name = count == 1 ? std::string(to_text(type)) + " is" : std::string(to_text(type)) + "s are";
      notes_.push_back(std::to_string(count) + " " + name + " not manageable here: " + abilities_.why);
    }
  }

  void add(const Wanted& wanted, ActionKind kind) {
    const auto seen = sight_.states.find(wanted.id);
    const Attributes from = seen == sight_.states.end() ? Attributes{{"present", false}} : seen->second;
    const auto obstacle = from.find("obstacle");
    if (leave_.contains(wanted.id)) {
      moves_.push_back({.wanted = wanted, .from = from, .to = from, .kind = kind});  // others may load it
      moves_.back().wanted.attributes = from;
      notes_.push_back(to_text(wanted.id) + " is left as it is: " + why_left(wanted, from));
    } else if (obstacle == from.end()) {
      moves_.push_back({.wanted = wanted, .from = from, .to = goal_of(from, wanted.attributes), .kind = kind});
    } else if (kind == ActionKind::prune) {
      notes_.push_back(to_text(wanted.id) + " is left as it is: there is " + obstacle->second.as_text());
    } else {
      refusals_.push_back({.id = wanted.id,
                           .what = "expected " + std::string(to_text(wanted.id.type)) + " at \"" + wanted.id.name +
                                   "\", found " + obstacle->second.as_text(),
                           .hint = "move it away, or take the manifest back",
                           .origin = wanted.origin});
    }
  }

  void add_pruned() {
    std::vector<Wanted> candidates = prune_candidates(bundle_, inventory_);
    Going going;
    for (const Wanted& one : candidates) {
      if (!one.id.name.starts_with('/') || one.id.type == PrimitiveType::directory) continue;
      (one.id.type == PrimitiveType::tree ? going.at_the_end : going.now).insert(one.id.name);
    }
    // Deepest first: a directory goes when all that is in it goes.
    std::ranges::sort(candidates, [](const Wanted& a, const Wanted& b) { return a.id.name.size() > b.id.name.size(); });
    for (const Wanted& one : candidates) {
      if (!is_manageable(one.id.type, abilities_)) continue;
      if (one.id.type == PrimitiveType::directory && !empties(one.id.name, going)) continue;
      pruned_.insert(one.id);
      add(one, ActionKind::prune);
    }
  }

  /// Removed releases are kept beside where they were until the change is confirmed, and so are the folders around
  /// them.
  struct Going {
    std::set<std::string> now{};
    std::set<std::string> at_the_end{};
  };

  bool empties(const std::string& folder, Going& going) {
    bool waits = false;
    const auto listing = sight_.listings.find(folder);
    if (listing != sight_.listings.end()) {
      for (const std::string& name : listing->second) {
        const std::string path = folder + "/" + name;
        waits = waits || going.at_the_end.contains(path);
        if (going.now.contains(path) || going.at_the_end.contains(path)) continue;
        notes_.push_back("directory:" + folder + " is no longer managed, and kept: it is not empty");
        return false;
      }
    }
    if (waits) notes_.push_back("directory:" + folder + " goes with the releases in it, once the change is confirmed");
    (waits ? going.at_the_end : going.now).insert(folder);
    return !waits;
  }

  void tell_released() {
    std::set<PrimitiveId> named;
    for (const Wanted& wanted : bundle_.wanted) named.insert(wanted.id);
    for (const auto& [id, entry] : inventory_) {
      const bool told = id.type == PrimitiveType::directory || id.type == PrimitiveType::tree;
      if (named.contains(id) || pruned_.contains(id) || told || !is_manageable(id.type, abilities_)) continue;
      notes_.push_back(to_text(id) + " is no longer managed, and left as it is");
    }
  }

  /// A command runs again when what it is for differs from what it last ran for.
  void tell_commands(const std::map<PrimitiveId, const Attributes*>& goals) {
    for (Move& move : moves_) {
      const auto loads = move.wanted.parameters.find("loads");
      if (move.wanted.id.type != PrimitiveType::command || loads == move.wanted.parameters.end()) continue;
      move.to["digest"] = command_digest(move.wanted, loaded_goals(goals, loads->second));
      move.wanted.attributes["digest"] = move.to["digest"];
    }
  }

  static LoadedStates loaded_goals(const std::map<PrimitiveId, const Attributes*>& goals, const Value& loads) {
    LoadedStates states;
    for (const std::string& name : loads.as_texts()) {
      const auto goal = goals.find(primitive_id(name));
      states.emplace_back(primitive_id(name), goal == goals.end() ? Attributes{{"present", false}} : *goal->second);
    }
    return states;
  }

  /// A running unit has to have loaded what will be there. One that is stopped and stays so has nothing loaded.
  void tell_loaded() {
    std::map<PrimitiveId, const Attributes*> goals;
    for (const Move& move : moves_) goals.emplace(move.wanted.id, &move.to);
    tell_commands(goals);
    for (Move& move : moves_) {
      const auto loads = move.wanted.parameters.find("loads");
      if (move.wanted.id.type != PrimitiveType::unit || loads == move.wanted.parameters.end()) continue;
      if (!is_at(move.to, "active", "running")) continue;
      move.to["loaded"] = loaded_digest(loaded_goals(goals, loads->second));
      move.wanted.attributes["loaded"] = move.to["loaded"];
    }
  }

  void add_backups(PreparedPlan& prepared) const {
    prepared.plan.backups = backups_before(bundle_, prepared.plan.actions, prepared.wanted);
  }

  void add_validators(Plan& plan, const std::vector<Wanted>& wanted) {
    for (const Validator& validator : bundle_.validators) {
      const auto touched = [&](const Action& action) { return judges(validator, action.id); };
      if (std::ranges::any_of(plan.actions, touched)) plan.validators.push_back(validator);
    }
    for (std::size_t i = 0; i < plan.actions.size(); ++i) add_file_validator(plan, plan.actions[i], wanted[i]);
  }

  static void add_file_validator(Plan& plan, const Action& action, const Wanted& wanted) {
    const auto validate = wanted.parameters.find("validate");
    if (wanted.id.type != PrimitiveType::file || validate == wanted.parameters.end()) return;
    if (!is_present(action.to) || !differs(action.from, action.to, "content")) return;
    Validator validator{.argv = validate->second.as_texts(), .folders = {wanted.id.name}, .origin = wanted.origin};
    for (const std::string& argument : validator.argv) {
      validator.name += (validator.name.empty() ? "" : " ") + (argument == "{}" ? wanted.id.name : argument);
    }
    plan.validators.push_back(std::move(validator));
  }

  const Bundle& bundle_;
  const Sight& sight_;
  const Inventory& inventory_;
  const Abilities& abilities_;
  const std::set<PrimitiveId>& leave_;
  std::vector<Move> moves_;
  std::vector<Refusal> refusals_;
  std::vector<std::string> notes_;
  std::set<PrimitiveId> pruned_;
};

}  // namespace

bool is_manageable(PrimitiveType type, const Abilities& abilities) {
  switch (type) {
    case PrimitiveType::unit:
      return abilities.units;
    case PrimitiveType::package:
      return abilities.packages;
    case PrimitiveType::command:
      return abilities.commands;
    case PrimitiveType::user:
    case PrimitiveType::group:
      return abilities.accounts;
    default:
      return true;
  }
}

PreparedPlan make_plan(const Bundle& bundle, const Sight& sight, const Inventory& inventory, const Abilities& abilities,
                       const std::set<PrimitiveId>& leave) {
  return Planner(bundle, sight, inventory, abilities, leave).plan();
}

bool judges(const Validator& validator, const PrimitiveId& changed) {
  return changed.name.starts_with('/') && std::ranges::any_of(validator.folders, [&](const std::string& folder) {
           return lies_below(changed.name, folder);
         });
}

void seal(Plan& plan, const std::string& bundle_digest, Pruning pruning) {
  plan.bundle_digest = bundle_digest;
  List decided;
  for (const Action& action : plan.actions) decided.emplace_back(List{to_text(action.id), action.from});
  for (const Refusal& refusal : plan.refusals) decided.emplace_back(List{to_text(refusal.id), refusal.what});
  if (pruning == Pruning::allowed) decided.emplace_back("allow_prune");
  plan.digest = sha256(to_json(List{bundle_digest, std::move(decided)}));
}

}  // namespace holdfast
