#include <reconcilers/host/guards.hpp>

#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/primitives/place.hpp>

#include <algorithm>
#include <sstream>

namespace holdfast {

namespace {

constexpr std::size_t most_pruned = 10;
constexpr std::size_t most_pruned_percent = 20;
constexpr std::size_t most_named = 5;
constexpr std::size_t max_table_bytes = 256U << 10U;
constexpr std::size_t max_unit_bytes = 64U << 10U;
constexpr std::size_t most_units = 500;

bool has_path(PrimitiveType type) {
  return type == PrimitiveType::file || type == PrimitiveType::link || type == PrimitiveType::directory ||
         type == PrimitiveType::tree;
}

bool lies_in(const std::string& path, const std::string& folder) {
  return folder == "/" || (path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/');
}

/// fstab writes a space as \040.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool octal = text[i] == '\\' && i + 3 < text.size() &&
                       std::ranges::all_of(text.substr(i + 1, 3), [](char c) { return c >= '0' && c <= '7'; });
    plain += octal ? static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8)) : text[i];
    if (octal) i += 3;
  }
  return plain;
}

void add_fstab(const System& system, std::set<std::string>& points) {
  std::istringstream lines(system.read("/etc/fstab", max_table_bytes).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string what, where;
    if (fields >> what >> where && what.front() != '#' && where.front() == '/') points.insert(unescaped(where));
  }
}

void add_units(const System& system, const std::string& folder, std::set<std::string>& points) {
  std::size_t count = 0;
  for (const std::string& name : system.list(folder)) {
    if (!name.ends_with(".mount") || ++count > most_units) continue;
    std::istringstream lines(system.read(folder + "/" + name, max_unit_bytes).value_or(""));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("Where=/")) points.insert(line.substr(6));
    }
  }
}

/// What a plan changes, looked at once more: can each be done, and are they not too many?
class Guard {
 public:
  Guard(const System& system, const Bundle& bundle, const std::set<std::string>& remembered, PreparedPlan& prepared)
      : system_(system), bundle_(bundle), remembered_(remembered), prepared_(prepared) {}

  void look_at_paths() {
    const std::vector<Action>& actions = prepared_.plan.actions;
    if (std::ranges::none_of(actions, [](const Action& one) { return has_path(one.id.type); })) return;
    mounted_ = system_.mount_points();
    should_be_ = configured_mounts(system_);
    should_be_.insert(remembered_.begin(), remembered_.end());
    for (const Action& action : actions) {
      if (has_path(action.id.type)) look_at(action);
    }
  }

  void look_at_pruning(const Inventory& inventory) {
    std::set<std::string> still;
    for (const Wanted& one : bundle_.wanted) still.insert(one.origin.resource);
    std::set<std::string> all;
    for (const auto& [id, entry] : inventory) all.insert(entry.wanted.origin.resource);
    std::set<std::string> going;
    const Action* first = nullptr;
    for (const Action& action : prepared_.plan.actions) {
      if (action.kind != ActionKind::prune || still.contains(action.origin.resource)) continue;
      going.insert(action.origin.resource);
      if (first == nullptr) first = &action;
    }
    const bool few = going.size() <= 1 || (going.size() <= most_pruned && going.size() * 100 <= most_pruned_percent * all.size());
    if (first == nullptr || (few && !bundle_.wanted.empty())) return;
    refuse(*first, pruned_text(going, all.size()),
           "`holdfast apply " + (bundle_.environment.empty() ? "ENV" : bundle_.environment) +
               " --allow-prune` does it this one time");
  }

 private:
  std::string pruned_text(const std::set<std::string>& going, std::size_t all) const {
    std::string names;
    std::size_t named = 0;
    for (const std::string& name : going) {
      if (++named > most_named) break;
      names += (names.empty() ? "" : ", ") + name;
    }
    if (going.size() > most_named) names += ", …";
    const std::string what = std::to_string(going.size()) + " of " + std::to_string(all) + " resources would be removed (" + names + ")";
    if (bundle_.wanted.empty()) return what + ": nothing at all is wanted of this host any more";
    return what + ": expected at most " + std::to_string(most_pruned) + " and " + std::to_string(most_pruned_percent) +
           " % at once";
  }

  void refuse(const Action& action, std::string what, std::string hint) {
    prepared_.plan.refusals.push_back(
        {.id = action.id, .what = std::move(what), .hint = std::move(hint), .origin = action.origin});
  }

  void look_at(const Action& action) {
    const std::string& path = action.id.name;
    if (const std::string point = unmounted_above(path); !point.empty()) {
      const bool told = remembered_.contains(point);
      return refuse(action, "\"" + path + "\" lies below \"" + point + "\", where nothing is mounted now",
                    std::string("mount it; or, if it is no longer to be, take it out of ") +
                        (told ? "/var/lib/holdfast/mounts.json" : "/etc/fstab or its .mount unit"));
    }
    if (is_folder_missing(path)) {
      return refuse(action, "the folder \"" + parent_of(path) + "\" does not exist, and no manifest makes it",
                    "add a Directory, or correct the path");
    }
    const bool meta_only = is_present(action.from) && is_present(action.to) && action.id.type == PrimitiveType::directory;
    const std::string why = system_.blocked(path, meta_only ? Change::attributes : Change::entry);
    if (!why.empty()) refuse(action, "\"" + path + "\" can't be changed: " + why, "make it changeable, or take the manifest back");
  }

  [[nodiscard]] std::string unmounted_above(const std::string& path) const {
    std::string found;
    for (const std::string& point : should_be_) {
      if (lies_in(path, point) && !mounted_.contains(point) && point.size() > found.size() && point != "/") found = point;
    }
    return found;
  }

  /// Packages, programs and accounts bring folders of their own, which can't be known before.
  [[nodiscard]] bool is_folder_missing(const std::string& path) const {
    const std::string folder = parent_of(path);
    if (system_.stat(folder)) return false;
    const auto makes = [&](const Wanted& one) {
      if (!is_present(one.attributes)) return false;
      const bool above = one.id.name == folder || lies_in(folder, one.id.name);
      return (one.id.type == PrimitiveType::directory && one.id.name == folder) || (one.id.type == PrimitiveType::tree && above);
    };
    const auto brings = [](const Action& one) {
      return one.id.type == PrimitiveType::package || one.id.type == PrimitiveType::command ||
             (one.id.type == PrimitiveType::user && !is_present(one.from));
    };
    return std::ranges::none_of(bundle_.wanted, makes) && std::ranges::none_of(prepared_.plan.actions, brings);
  }

  const System& system_;
  const Bundle& bundle_;
  const std::set<std::string>& remembered_;
  PreparedPlan& prepared_;
  std::set<std::string> mounted_{};
  std::set<std::string> should_be_{};
};

}  // namespace

void guard(const System& system, const Bundle& bundle, const Inventory& inventory,
           const std::set<std::string>& remembered, Pruning pruning, PreparedPlan& prepared) {
  if (prepared.plan.actions.empty()) return;
  Guard guard(system, bundle, remembered, prepared);
  guard.look_at_paths();
  if (pruning == Pruning::guarded) guard.look_at_pruning(inventory);
}

std::set<std::string> configured_mounts(const System& system) {
  std::set<std::string> points;
  add_fstab(system, points);
  for (const char* folder : {"/etc/systemd/system", "/run/systemd/system"}) add_units(system, folder, points);
  return points;
}

std::set<std::string> mounts_of(const System& system, const Inventory& inventory) {
  std::set<std::string> used;
  for (const std::string& point : system.mount_points()) {
    const auto below = [&](const auto& entry) { return has_path(entry.first.type) && lies_in(entry.first.name, point); };
    if (point != "/" && std::ranges::any_of(inventory, below)) used.insert(point);
  }
  return used;
}

}  // namespace holdfast
