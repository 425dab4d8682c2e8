#include <reconcilers/host/planner.hpp>

#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/order.hpp>
#include <reconcilers/primitives/command.hpp>
#include <reconcilers/primitives/package.hpp>
#include <reconcilers/primitives/place.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace holdfast {

namespace {

constexpr const char* reload_verb = "unit.daemon_reload";

/// "app.service" of "/etc/systemd/system/app.service" and of "/etc/systemd/system/app.service.d/limits.conf".
std::string unit_of(const std::string& path) {
  const std::string folder = name_of(parent_of(path));
  return folder.ends_with(".d") ? folder.substr(0, folder.size() - 2) : name_of(path);
}

bool changes(const Move& move) { return move.from != move.to; }

bool is_leaving(const Move& move) {
  if (move.wanted.id.type == PrimitiveType::unit) {
    const auto to = move.to.find("active");
    return to != move.to.end() && to->second == Value("stopped") && differs(move.from, move.to, "active");
  }
  if (move.wanted.id.type == PrimitiveType::command) return !is_command_goal(move.wanted, move.to);
  return is_present(move.from) && !is_present(move.to);
}

/// The units whose files change in the same plan: systemd will hold old ones until it is told, in either direction.
std::set<PrimitiveId> find_stale_units(const std::vector<Move>& moves) {
  std::set<PrimitiveId> files;
  for (const Move& move : moves) {
    if (is_unit_folder(move.wanted.id.name) && changes(move)) files.insert(move.wanted.id);
  }
  std::set<PrimitiveId> units;
  for (const Move& move : moves) {
    const auto& after = move.wanted.after;
    const bool uses = std::ranges::any_of(after, [&](const PrimitiveId& id) { return files.contains(id); });
    if (move.wanted.id.type == PrimitiveType::unit && uses) units.insert(move.wanted.id);
  }
  return units;
}

Attributes with_daemon(Attributes attributes, const char* state) {
  attributes["daemon"] = state;
  return attributes;
}

Action action_of(const Move& move, bool stale) {
  const PrimitiveKind& kind = primitive_kind(move.wanted.id.type);
  Action action{
      .kind = move.kind, .id = move.wanted.id, .from = move.from, .to = move.to, .origin = move.wanted.origin};
  if (stale) {
    action.from = with_daemon(move.from, "stale");
    action.to = with_daemon(move.to, "current");
  }
  Steps forward = kind.steps(move.wanted, action.from, action.to);
  const Steps undo = stale ? kind.steps(move.wanted, with_daemon(move.to, "stale"), with_daemon(move.from, "current"))
                           : kind.steps(move.wanted, move.to, move.from);
  action.steps = std::move(forward.list);
  action.irreversible = std::move(forward.irreversible);
  action.undo = undo.list;
  return action;
}

/// Packages that stand next to each other in the order change in one apt transaction.
void merge_packages(std::vector<Action>& actions, std::vector<Step> Action::*steps) {
  for (std::size_t first = 0; first < actions.size();) {
    std::size_t end = first;
    std::vector<Step> run;
    while (end < actions.size() && actions[end].id.type == PrimitiveType::package) {
      std::vector<Step>& own = actions[end++].*steps;
      run.insert(run.end(), own.begin(), own.end());
      own.clear();
    }
    if (!run.empty()) actions[first].*steps = {merge_package_steps(run)};
    first = std::max(end, first + 1);
  }
}

/// One daemon-reload serves every unit file that changed before it, and the last unit file is followed by one.
void coalesce_reloads(std::vector<Action>& actions) {
  bool stale = false;
  bool reloaded = false;
  Action* last_file = nullptr;
  for (Action& action : actions) {
    if (is_unit_folder(action.id.name)) {
      stale = true;
      last_file = &action;
    }
    std::erase_if(action.steps, [&](const Step& step) {
      if (step.verb != reload_verb) return false;
      const bool needless = reloaded && !stale;
      reloaded = true;
      stale = false;
      return needless;
    });
  }
  if (stale && last_file != nullptr) last_file->steps.push_back({reload_verb, {{"name", unit_of(last_file->id.name)}}});
}

}  // namespace

bool is_unit_folder(const std::string& path) {
  constexpr std::array<std::string_view, 5> folders = {"/etc/systemd/system/", "/usr/lib/systemd/system/",
                                                       "/lib/systemd/system/", "/usr/local/lib/systemd/system/",
                                                       "/run/systemd/system/"};
  return std::ranges::any_of(folders, [&](std::string_view folder) { return path.starts_with(folder); });
}

PreparedPlan plan_moves(std::vector<Move> moves, const Abilities& abilities) {
  std::vector<OrderNode> nodes;
  for (const Move& move : moves) nodes.push_back({move.wanted.id, move.wanted.after, is_leaving(move)});
  const std::set<PrimitiveId> stale = find_stale_units(moves);
  PreparedPlan prepared;
  for (const std::size_t i : order_of(nodes)) {
    const bool is_stale = stale.contains(moves[i].wanted.id);
    if (!changes(moves[i]) && !is_stale) continue;
    prepared.plan.actions.push_back(action_of(moves[i], is_stale));
    prepared.wanted.push_back(std::move(moves[i].wanted));
  }
  merge_packages(prepared.plan.actions, &Action::steps);
  merge_packages(prepared.plan.actions, &Action::undo);
  if (abilities.units) coalesce_reloads(prepared.plan.actions);
  return prepared;
}

}  // namespace holdfast
