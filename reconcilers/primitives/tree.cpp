#include <reconcilers/primitives/kinds.hpp>
#include <reconcilers/primitives/place.hpp>
#include <reconcilers/primitives/tree_put.hpp>
#include <reconcilers/primitives/tree_record.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <reconcilers/tree_digest.hpp>

#include <functional>

namespace holdfast {

namespace {

const Value* parameter(const Wanted& wanted, std::string_view name) {
  const auto found = wanted.parameters.find(name);
  return found == wanted.parameters.end() || found->second.is_null() ? nullptr : &found->second;
}

/// Looks at a release folder: whether its source entries are as wanted, and whose they are.
class Look {
 public:
  Look(const System& system, const Ownership& ownership, const Wanted& wanted)
      : system_(system), ownership_(ownership), wanted_(wanted) {
    if (std::optional<TreeRecord> record = read_tree_record(system, wanted.id.name)) record_ = std::move(*record);
  }

  void operator()(const FileStat& folder, Attributes& attributes) {
    ownership_.tell(folder, wanted_, attributes);
    attributes.erase("mode");
    attributes["digest"] = digest(attributes);
    if (wanted_.attributes.contains("built") || !record_.built.empty()) {
      attributes["built"] = record_.complete ? record_.built : "";
    }
  }

 private:
  std::string digest(Attributes& attributes) {
    const Value* list = parameter(wanted_, "entries");
    const auto digest = wanted_.attributes.find("digest");
    if (list == nullptr || digest == wanted_.attributes.end())
      return record_.digest.empty() ? "unknown" : record_.digest;
    bool same = has_revision();
    std::vector<ReleaseEntry> found;
    for (const ReleaseEntry& entry : release_entries(*list)) {
      std::optional<ReleaseEntry> actual =
          actual_entry(system_, wanted_.id.name, entry, find_entry(record_, entry.path));
      same = same && same_entry(actual, expected_entry(record_, digest->second.as_text(), entry));
      if (!actual) continue;
      tell_other_owner(*actual, attributes);
      found.push_back(std::move(*actual));
    }
    if (same) return digest->second.as_text();
    return sha256("differs from " + digest->second.as_text() + " as " + tree_digest(to_list(found)));
  }

  [[nodiscard]] bool has_revision() const {
    const Value* file = parameter(wanted_, "revision_file");
    if (file == nullptr) return true;
    return system_.digest(wanted_.id.name + "/" + file->at("name").as_text()) == sha256(file->at("text").as_text());
  }

  /// One entry of another owner makes the whole tree differ.
  void tell_other_owner(const ReleaseEntry& entry, Attributes& attributes) const {
    const std::optional<FileStat> stat = system_.stat(wanted_.id.name + "/" + entry.path);
    if (!stat) return;
    Attributes own;
    ownership_.tell(*stat, wanted_, own);
    for (const char* key : {"owner", "group"}) {
      const auto asked = wanted_.attributes.find(key);
      if (asked != wanted_.attributes.end() && own.at(key) != asked->second) attributes[key] = own.at(key);
    }
  }

  const System& system_;
  const Ownership& ownership_;
  const Wanted& wanted_;
  TreeRecord record_;
};

class TreePrimitive : public PrimitiveKind {
 public:
  [[nodiscard]] PrimitiveType type() const override { return PrimitiveType::tree; }

  [[nodiscard]] std::vector<Attributes> observe(const System& system,
                                                std::span<const Wanted* const> wanted) const override {
    const Ownership ownership(system);
    std::vector<Attributes> observed;
    for (const Wanted* one : wanted) {
      Look look(system, ownership, *one);
      observed.push_back(observe_path(system, one->id.name, FileType::directory, std::ref(look)));
    }
    return observed;
  }

  [[nodiscard]] Steps steps(const Wanted& wanted, const Attributes& from, const Attributes& to) const override {
    Steps steps;
    const Map path{{"path", wanted.id.name}};
    if (!is_present(to)) {
      const bool forget = parameter(wanted, "forget") != nullptr;
      if (is_present(from)) steps.list.push_back({forget ? "tree.remove" : "tree.stash", path});
      return steps;
    }
    const bool content = differs(from, to, "digest") || (differs(from, to, "built") && to.at("built") != Value(""));
    if (!is_present(from) && parameter(wanted, "entries") == nullptr) {
      steps.list.push_back({"tree.unstash", path});
    } else if (!is_present(from) || (content && is_goal(wanted, to))) {
      steps.list.push_back({"tree.put", put_arguments(wanted, to)});
      if (is_present(from)) {
        steps.irreversible.push_back("the release folder \"" + wanted.id.name +
                                     "\" is put right in place; what was changed in it is not kept");
      }
    } else if (differs(from, to, "owner") || differs(from, to, "group")) {
      steps.list.push_back({"tree.own", overlay(pick(to, {"owner", "group"}), path)});
    }
    return steps;
  }

  void execute(Effects& effects, const Step& step) const override {
    System& system = effects.system;
    const Value arguments = step.arguments;
    const std::string& path = arguments.at("path").as_text();
    const std::string stash = stash_of(path);
    if (step.verb == "tree.put") {
      put_tree(effects, step);
    } else if (step.verb == "tree.own") {
      own_tree(system, arguments);
    } else if (step.verb == "tree.stash") {
      if (!system.stat(path)) return;
      system.remove_tree(stash);
      system.rename(path, stash);
    } else if (step.verb == "tree.remove") {
      // The record goes last: what is left of a removal that was cut off is still known to be ours.
      system.remove_tree(stash);
      system.remove_tree(path);
      remove_tree_record(system, path);
    } else if (step.verb == "tree.unstash") {
      if (system.stat(path)) return;
      if (!system.stat(stash)) throw Error("the removed release folder \"" + path + "\" is no longer kept");
      system.rename(stash, path);
    } else if (step.verb == "tree.purge") {
      system.remove_tree(stash);
      if (!system.stat(path)) remove_tree_record(system, path);
    } else {
      refuse_verb(step.verb);
    }
  }

 private:
  /// The wanted content can be made; what was found instead of it can't be made again.
  static bool is_goal(const Wanted& wanted, const Attributes& to) {
    const bool builds = wanted.attributes.contains("built");
    return parameter(wanted, "entries") != nullptr && !differs(wanted.attributes, to, "digest") &&
           (!builds || !differs(wanted.attributes, to, "built"));
  }

  static Map put_arguments(const Wanted& wanted, const Attributes& to) {
    Map arguments = pick(to, {"owner", "group", "digest", "built"});
    arguments = overlay(arguments, pick(wanted.parameters, {"entries", "build", "revision_file"}));
    arguments["path"] = wanted.id.name;
    return arguments;
  }
};

}  // namespace

const PrimitiveKind& tree_primitive() {
  static const TreePrimitive primitive;
  return primitive;
}

}  // namespace holdfast
