#include <reconcilers/kinds/assembly.hpp>

#include <set>
#include <utility>

namespace holdfast {

namespace {

/// "reload" is enough for a unit only where none of its parts wants more.
void merge_default(Map& into, const Map& from) {
  const auto wish = from.find("on_change_default");
  if (wish == from.end()) return;
  const auto known = into.find("on_change_default");
  if (known == into.end() || wish->second.as_text() == "restart") into["on_change_default"] = wish->second;
}

class Merger {
 public:
  void add(const Draft& draft) {
    for (const Wanted& wanted : draft.wanted) add(draft, wanted);
  }

  void keep(const Draft& draft) { kept_.insert(draft.kept.begin(), draft.kept.end()); }

  Assembly take() { return std::move(assembly_); }

 private:
  void add(const Draft& draft, const Wanted& wanted) {
    const auto shared = draft.shared.find(wanted.id);
    const bool is_shared = shared != draft.shared.end();
    if (is_shared && kept_.contains(wanted.id)) {
      if (shared->second == Sharing::unless_kept) return;
      assembly_.problem(draft.place, "\"" + wanted.id.name + "\" is to be removed here, and kept by another resource",
                        "agree on one");
    }
    if (Wanted* known = owner_of(wanted.id)) {
      if (wanted.id.type == PrimitiveType::unit && known->id == wanted.id) return merge_unit(draft, *known, wanted);
      if (is_shared && known->attributes == wanted.attributes) return;
      return refuse_second(draft, *known, wanted);
    }
    if (is_path(wanted.id.type)) paths_[wanted.id.name] = assembly_.wanted.size();
    assembly_.index[wanted.id] = assembly_.wanted.size();
    assembly_.places[wanted.id] = draft.place;
    assembly_.wanted.push_back(wanted);
  }

  /// Who has this primitive or, under another type, this path.
  Wanted* owner_of(const PrimitiveId& id) {
    if (!is_path(id.type)) return assembly_.find(id);
    const auto found = paths_.find(id.name);
    return found == paths_.end() ? nullptr : &assembly_.wanted[found->second];
  }

  void refuse_second(const Draft& draft, const Wanted& known, const Wanted& second) {
    std::string hint = "let one resource manage it";
    const bool releases = known.origin.resource.starts_with("Release/") && draft.resource.starts_with("Release/");
    if (known.origin.resource == draft.resource) {
      hint = "two of its members have the same place";
    } else if (releases && known.id.type == PrimitiveType::directory) {
      hint = "give each Release a folder of its own as \"spec.releases\"";
    }
    const std::string name = is_path(second.id.type) ? second.id.name : to_text(second.id);
    assembly_.problem(
        draft.place,
        "\"" + name + "\" is managed twice: by \"" + known.origin.resource + "\" and by \"" + draft.resource + "\"",
        hint, {assembly_.places[known.id]});
  }

  void merge_unit(const Draft& draft, Wanted& known, const Wanted& more) {
    for (const auto& [name, value] : more.attributes) {
      refuse_conflict(draft, known, name, known.attributes.try_emplace(name, value).first->second, value);
    }
    if (const auto firm = more.parameters.find("on_change"); firm != more.parameters.end()) {
      refuse_conflict(draft, known, "on_change", known.parameters.try_emplace("on_change", firm->second).first->second,
                      firm->second);
    }
    merge_default(known.parameters, more.parameters);
    if (const auto loads = more.parameters.find("loads"); loads != more.parameters.end()) {
      List& all = known.parameters.try_emplace("loads", List{}).first->second.as_list();
      all.insert(all.end(), loads->second.as_list().begin(), loads->second.as_list().end());
    }
    known.after.insert(known.after.end(), more.after.begin(), more.after.end());
    if (draft.resource.starts_with("SystemdUnit/")) {
      known.origin = more.origin;
      assembly_.places[known.id] = draft.place;
    }
  }

  void refuse_conflict(const Draft& draft, const Wanted& known, const std::string& name, const Value& first,
                       const Value& second) {
    if (first == second) return;
    assembly_.problem(draft.place,
                      "\"" + known.id.name + "\" is to be " + first.as_text() + " for \"" + known.origin.resource +
                          "\" and " + second.as_text() + " for \"" + draft.resource + "\" (" + name + ")",
                      "agree on one", {assembly_.places[known.id]});
  }

  Assembly assembly_{};
  std::map<std::string, std::size_t> paths_{};
  std::set<PrimitiveId> kept_{};
};

}  // namespace

Assembly merge_drafts(const std::vector<Draft>& drafts) {
  Merger merger;
  for (const Draft& draft : drafts) merger.keep(draft);
  for (const Draft& draft : drafts) merger.add(draft);
  return merger.take();
}

}  // namespace holdfast
