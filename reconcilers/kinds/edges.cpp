#include <reconcilers/kinds/assembly.hpp>

#include <algorithm>
#include <set>
#include <string_view>

namespace holdfast {

namespace {

std::string text_of(const Wanted& wanted, const char* attribute) {
  const auto found = wanted.attributes.find(attribute);
  return found == wanted.attributes.end() ? "" : found->second.as_text();
}

/// A path comes after the nearest managed directory that it lies in, and after what owns it.
void add_path_edges(const Assembly& assembly, Wanted& wanted) {
  for (std::string folder = parent_path(wanted.id.name); !folder.empty(); folder = parent_path(folder)) {
    if (!assembly.has({PrimitiveType::directory, folder})) continue;
    wanted.after.push_back({PrimitiveType::directory, folder});
    break;
  }
  if (const std::string owner = text_of(wanted, "owner"); !owner.empty()) {
    wanted.after.push_back({PrimitiveType::user, owner});
  }
  if (const std::string group = text_of(wanted, "group"); !group.empty()) {
    wanted.after.push_back({PrimitiveType::group, group});
  }
}

void add_link_edges(Wanted& wanted) {
  const std::string target = text_of(wanted, "target");
  for (const PrimitiveType type : {PrimitiveType::directory, PrimitiveType::tree, PrimitiveType::file}) {
    if (target.starts_with('/')) wanted.after.push_back({type, target});
  }
}

void add_tree_edges(Wanted& wanted) {
  const auto build = wanted.parameters.find("build");
  if (build == wanted.parameters.end()) return;
  wanted.after.push_back({PrimitiveType::user, build->second.text_or("user", "root")});
}

/// After the nearest managed path that `path` is or lies in.
void put_after_path(const Assembly& assembly, Wanted& wanted, const std::string& path) {
  if (!path.starts_with('/')) return;
  for (std::string at = path; !at.empty(); at = parent_path(at)) {
    for (const PrimitiveType type :
         {PrimitiveType::directory, PrimitiveType::tree, PrimitiveType::file, PrimitiveType::link}) {
      if (!assembly.has({type, at})) continue;
      wanted.after.push_back({type, at});
      return;
    }
  }
}

/// A command comes after its account, its folder, and whatever managed paths its arguments name.
void add_command_edges(const Assembly& assembly, Wanted& wanted) {
  const Value parameters = wanted.parameters;
  put_after_path(assembly, wanted, parameters.text_or("folder", ""));
  put_after_path(assembly, wanted, parameters.text_or("creates", ""));
  for (const char* member : {"run", "unless"}) {
    const Value* argv = parameters.find(member);
    if (argv == nullptr) continue;
    for (const std::string& argument : argv->as_texts()) put_after_path(assembly, wanted, argument);
  }
  const std::string user = parameters.text_or("user", "root");
  wanted.after.push_back({PrimitiveType::user, user});
  wanted.after.push_back({PrimitiveType::group, user});
}

void add_load_edges(Wanted& wanted) {
  const auto loads = wanted.parameters.find("loads");
  if (loads == wanted.parameters.end()) return;
  for (const std::string& id : loads->second.as_texts()) wanted.after.push_back(primitive_id(id));
}

/// useradd makes a group of the account's name, and fails where a Group resource has made it already: so it is told.
void add_user_edges(const Assembly& assembly, Wanted& wanted) {
  const PrimitiveId own_group{PrimitiveType::group, wanted.id.name};
  const bool has_own_group = assembly.has(own_group) && is_present(assembly.wanted[assembly.index.at(own_group)]);
  if (has_own_group && is_present(wanted)) wanted.attributes.try_emplace("group", wanted.id.name);
  if (!is_present(wanted)) wanted.after.push_back(own_group);
  if (const std::string group = text_of(wanted, "group"); !group.empty()) {
    wanted.after.push_back({PrimitiveType::group, group});
  }
  const auto groups = wanted.attributes.find("groups");
  if (groups == wanted.attributes.end()) return;
  for (const std::string& group : groups->second.as_texts()) wanted.after.push_back({PrimitiveType::group, group});
}

/// "postgresql" for "postgresql-15:amd64": the name that the package's folder in /etc and its unit usually have.
std::string stem_of_package(std::string_view package) {
  std::string_view stem = package.substr(0, package.find(':'));
  const std::size_t dash = stem.rfind('-');
  if (dash != std::string_view::npos && dash > 0 &&
      stem.find_first_not_of("0123456789.", dash + 1) == std::string_view::npos) {
    stem = stem.substr(0, dash);
  }
  return std::string(stem);
}

class Packages {
 public:
  explicit Packages(const Assembly& assembly) {
    for (const Wanted& wanted : assembly.wanted) {
      if (wanted.id.type != PrimitiveType::package) continue;
      by_stem_[stem_of_package(wanted.id.name)].insert(wanted.id);
      by_stem_[wanted.id.name].insert(wanted.id);
    }
  }

  void add_edges(Wanted& wanted) const {
    const std::string& name = wanted.id.name;
    if (wanted.id.type == PrimitiveType::unit) put_after(wanted, name.substr(0, name.find_first_of(".@")));
    if (is_path(wanted.id.type) && name.starts_with("/etc/")) put_after(wanted, name.substr(5, name.find('/', 5) - 5));
  }

 private:
  void put_after(Wanted& wanted, const std::string& stem) const {
    const auto found = by_stem_.find(stem);
    if (found == by_stem_.end()) return;
    wanted.after.insert(wanted.after.end(), found->second.begin(), found->second.end());
  }

  std::map<std::string, std::set<PrimitiveId>> by_stem_{};
};

bool same_ownership(const Wanted& one, const Wanted& other) {
  return text_of(one, "owner") == text_of(other, "owner") && text_of(one, "group") == text_of(other, "group");
}

/// A recursive directory leaves alone what lies below it under another owner of its own, and links.
void add_exceptions(const std::map<std::string, const Wanted*>& paths, Wanted& directory) {
  const std::string below = directory.id.name == "/" ? "/" : directory.id.name + "/";
  List exceptions;
  for (auto at = paths.lower_bound(below); at != paths.end() && at->first.starts_with(below); ++at) {
    if (is_present(*at->second) && !same_ownership(directory, *at->second)) exceptions.emplace_back(at->first);
  }
  if (!exceptions.empty()) directory.parameters["except"] = std::move(exceptions);
}

}  // namespace

void add_implied_edges(Assembly& assembly) {
  const Packages packages(assembly);
  std::map<std::string, const Wanted*> paths;
  for (Wanted& wanted : assembly.wanted) {
    packages.add_edges(wanted);
    if (is_path(wanted.id.type)) {
      add_path_edges(assembly, wanted);
      paths[wanted.id.name] = &wanted;
    }
    if (wanted.id.type == PrimitiveType::link) add_link_edges(wanted);
    if (wanted.id.type == PrimitiveType::tree) add_tree_edges(wanted);
    if (wanted.id.type == PrimitiveType::command) add_command_edges(assembly, wanted);
    add_load_edges(wanted);
    if (wanted.id.type == PrimitiveType::user) add_user_edges(assembly, wanted);
  }
  for (Wanted& wanted : assembly.wanted) {
    if (wanted.parameters.contains("recursive")) add_exceptions(paths, wanted);
  }
}

}  // namespace holdfast
