#include <reconcilers/kinds/assembly.hpp>

#include <manifests/text.hpp>

namespace holdfast {

namespace {

constexpr std::size_t most_edges = 1'000'000;

class Resolver {
 public:
  Resolver(Assembly& assembly, const std::vector<Draft>& drafts) : assembly_(assembly) {
    for (const Draft& draft : drafts) by_name_[draft.resource] = &draft;
  }

  void resolve(const Reference& reference) {
    const Draft* target = find(reference.to, reference.where, reference.use == ReferenceUse::loads_if_there);
    Wanted* from = assembly_.find(reference.from);
    if (target == nullptr || from == nullptr) return;
    if (reference.use == ReferenceUse::order) return put_after(*from, *target);
    if (reference.use == ReferenceUse::covers) return add_covered(*from, *target);
    if (reference.use == ReferenceUse::environment) return give_environment(reference, *from, *target);
    if (reference.use == ReferenceUse::stops) return stop_meanwhile(reference, *from);
    if (from->id.type == PrimitiveType::command && reference.to.starts_with("Command/")) {
      assembly_.problem(reference.where, "a Command can't be run because another one ran",
                        "to come after it, name it in \"metadata.after\"");
      return;
    }
    if (target->content.empty() && reference.use == ReferenceUse::loads) {
      assembly_.problem(reference.where, "\"" + reference.to + "\" has no content that a unit could load",
                        "to come after it, name it in \"metadata.after\"");
    }
    for (const PrimitiveId& id : target->content) add_load(*from, id);
  }

  void put_all_after(const Draft& draft, const std::string& name, const Position& where) {
    const Draft* target = find(name, where, false);
    if (target == nullptr || target == &draft) return;
    for (const Wanted& wanted : draft.wanted) {
      if (Wanted* merged = assembly_.find(wanted.id)) put_after(*merged, *target);
    }
  }

 private:
  void give_environment(const Reference& reference, Wanted& command, const Draft& target) {
    put_after(command, target);
    if (target.content.empty() || !reference.to.starts_with("EnvFile/")) {
      return assembly_.problem(reference.where, "\"" + reference.to + "\" is no environment file",
                               "name an EnvFile, as \"EnvFile/NAME\"");
    }
    command.parameters["environment_file"] = target.content.front().name;
  }

  /// A unit that was stopped for a command is started by its own change: it loads what the command ran for.
  void stop_meanwhile(const Reference& reference, Wanted& command) {
    Wanted* unit = assembly_.find({PrimitiveType::unit, reference.to.substr(reference.to.find('/') + 1)});
    if (unit == nullptr || !reference.to.starts_with("SystemdUnit/")) {
      return assembly_.problem(reference.where, "\"" + reference.to + "\" is no unit that could be stopped",
                               "name a SystemdUnit that is no template, as \"SystemdUnit/NAME.service\"");
    }
    const auto on_change = unit->parameters.try_emplace("on_change", "restart").first;
    if (on_change->second != Value("restart")) {
      return assembly_.problem(reference.where,
                               "\"" + unit->id.name + "\" is stopped while \"" + command.id.name +
                                   "\" runs, and so needs \"onChange: restart\", not \"" + on_change->second.as_text() +
                                   "\"",
                               "take \"onChange\" of the unit away");
    }
    add_load(*unit, command.id);
    command.parameters.try_emplace("stops", List{}).first->second.as_list().emplace_back(unit->id.name);
  }

  const Draft* find(const std::string& name, const Position& where, bool may_be_missing) {
    const auto found = by_name_.find(name);
    if (found != by_name_.end()) return found->second;
    if (may_be_missing) return nullptr;
    std::vector<std::string> names;
    for (const auto& [known, draft] : by_name_) names.push_back(known);
    assembly_.problem(where, "\"" + name + "\" is no resource of this host", nearest_hint(name, names));
    return nullptr;
  }

  void put_after(Wanted& from, const Draft& target) {
    edges_ += target.wanted.size();
    if (edges_ > most_edges) {
      if (!told_) assembly_.problem(target.place, "there are more than 1,000,000 edges between primitives", "");
      told_ = true;
      return;
    }
    for (const Wanted& wanted : target.wanted) from.after.push_back(wanted.id);
  }

  static void add_covered(Wanted& from, const Draft& target) {
    Value& covers = from.parameters["backup"]["covers"];
    if (covers.is_null()) covers = List{};
    for (const Wanted& wanted : target.wanted) covers.as_list().emplace_back(to_text(wanted.id));
  }

  Assembly& assembly_;
  std::map<std::string, const Draft*> by_name_{};
  std::size_t edges_ = 0;
  bool told_ = false;
};

}  // namespace

void resolve_references(Assembly& assembly, const std::vector<Draft>& drafts, const std::vector<Resource>& resources) {
  Resolver resolver(assembly, drafts);
  for (std::size_t at = 0; at < drafts.size(); ++at) {
    for (const Reference& reference : drafts[at].references) resolver.resolve(reference);
    std::size_t index = 0;
    for (const ResourceId& id : resources[at].after) {
      resolver.put_all_after(drafts[at], to_text(id), resources[at].at("/metadata/after/" + std::to_string(index++)));
    }
  }
}

}  // namespace holdfast
