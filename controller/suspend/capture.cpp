#include <controller/suspend/capture.hpp>

#include <controller/git/written_sources.hpp>
#include <controller/suspend/changed_tree.hpp>
#include <controller/suspend/manifest_change.hpp>
#include <manifests/error.hpp>

#include <algorithm>
#include <optional>

namespace holdfast {

namespace {

constexpr std::size_t most_bytes = 8U << 20U;
constexpr std::size_t most_actions = 200;  // each is proven by itself

/// What a tree says that the host should be.
struct Said {
  std::shared_ptr<const Fleet> fleet{};
  Lowered lowered{};

  [[nodiscard]] const Wanted* wanted(const PrimitiveId& id) const {
    const auto found = std::ranges::find(lowered.bundle.wanted, id, &Wanted::id);
    return found == lowered.bundle.wanted.end() ? nullptr : &*found;
  }
  [[nodiscard]] const Resource* resource(const std::string& host, const std::string& name) const {
    const auto resources = fleet->resources.find(host);
    if (resources == fleet->resources.end()) return nullptr;
    const auto found =
        std::ranges::find_if(resources->second, [&](const Resource& one) { return to_text(one.id) == name; });
    return found == resources->second.end() ? nullptr : &*found;
  }
};

Said say(const CaptureInput& input, const std::map<std::string, std::string>& files) {
  const ChangedTree tree(input.tree, files);
  FleetResult loaded = load_fleet(tree, input.environment, input.load);
  if (!loaded.problems.empty()) throw Error(render(loaded.problems.front()));
  WrittenSources sources(tree);
  Said said{.fleet = loaded.fleet, .lowered = lower(*loaded.fleet, input.host, tree, no_commit(), sources)};
  if (!said.lowered.problems.empty()) throw Error(render(said.lowered.problems.front()));
  return said;
}

/// What follows from other primitives, or from the planner, is not a matter of the manifest.
bool is_derived(const std::string& attribute) {
  return attribute == "loaded" || attribute == "daemon" || attribute == "size" || attribute == "state";
}

/// Whether nothing would be left to do for it.
bool says(const Said& said, const Action& action) {
  const Wanted* wanted = said.wanted(action.id);
  return wanted != nullptr && std::ranges::all_of(wanted->attributes, [&](const auto& member) {
           const auto found = action.from.find(member.first);
           return is_derived(member.first) || (found != action.from.end() && found->second == member.second);
         });
}

bool only_derived(const Action& action) {
  return std::ranges::all_of(action.to, [&](const auto& member) {
    const auto found = action.from.find(member.first);
    return is_derived(member.first) || (found != action.from.end() && found->second == member.second);
  });
}

class Capturing {
 public:
  explicit Capturing(const CaptureInput& input) : input_(input), said_(say(input, {})) {}

  Captured all() {
    std::size_t tried = 0;
    for (const Action& action : input_.plan.actions) {
      if (action.kind == ActionKind::change && only_derived(action))
        continue;  // it loads what was changed: that follows from the rest
      const std::string why = ++tried > most_actions ? "too much was changed at once" : take(action);
      if (why.empty()) {
        captured_.taken.push_back(to_text(action.id));
      } else {
        captured_.left.push_back({to_text(action.id), why});
      }
    }
    for (const Refusal& refusal : input_.plan.refusals) captured_.left.push_back({to_text(refusal.id), refusal.what});
    std::erase_if(captured_.files,
                  [this](const auto& file) { return input_.tree.read(file.first, most_bytes) == file.second; });
    return std::move(captured_);
  }

 private:
  /// Why not; empty where it was taken.
  std::string take(const Action& action) {
    if (action.kind == ActionKind::prune) return "no manifest names it any more, so there is none to change";
    const Resource* resource = said_.resource(input_.host, action.origin.resource);
    const Wanted* wanted = said_.wanted(action.id);
    if (resource == nullptr || wanted == nullptr) return "no manifest of its own says what it is";
    if (says(said_, action)) return "";  // by what was taken before it
    std::map<std::string, std::string> files = captured_.files;
    try {
      const ChangedTree tree(input_.tree, files);
      change_manifest({.resource = *resource, .wanted = *wanted, .action = action, .live = input_.live, .tree = tree},
                      files);
      Said said = say(input_, files);
      if (!says(said, action)) return "the manifest would still say something else of it: change it by hand";
      said_ = std::move(said);
    } catch (const Error& error) {
      return error.what();
    }
    captured_.files = std::move(files);
    return "";
  }

  const CaptureInput& input_;
  Said said_;
  Captured captured_{};
};

}  // namespace

Captured capture(const CaptureInput& input) { return Capturing(input).all(); }

}  // namespace holdfast
