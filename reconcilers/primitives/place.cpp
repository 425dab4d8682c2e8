#include <reconcilers/primitives/place.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/linux_paths.hpp>

namespace holdfast {

namespace {

std::string_view noun(FileType type) {
  switch (type) {
    case FileType::regular:
      return "a file";
    case FileType::directory:
      return "a directory";
    case FileType::link:
      return "a symbolic link";
    case FileType::other:
      return "a device, socket or pipe";
  }
  return "something else";
}

}  // namespace

void Ownership::tell(const FileStat& stat, const Wanted& wanted, Attributes& attributes) const {
  const auto owner = wanted.attributes.find("owner");
  const auto group = wanted.attributes.find("group");
  attributes["mode"] = stat.mode;
  attributes["owner"] = accounts_.user_name(stat.uid);
  attributes["group"] = accounts_.group_name(stat.gid);
  if (owner != wanted.attributes.end()) {
    const std::string& name = owner->second.as_text();
    const UserEntry* entry = accounts_.user(name);
    const bool same = entry != nullptr ? entry->uid == stat.uid : name == std::to_string(stat.uid);
    if (same || !manageable_) attributes["owner"] = name;
  }
  if (group != wanted.attributes.end()) {
    const std::string& name = group->second.as_text();
    const GroupEntry* entry = accounts_.group(name);
    const bool same = entry != nullptr ? entry->gid == stat.gid : name == std::to_string(stat.gid);
    if (same || !manageable_) attributes["group"] = name;
  }
}

FileMeta Ownership::meta(const Map& arguments, std::uint32_t default_mode) const {
  const auto mode = arguments.find("mode");
  FileMeta meta;
  meta.mode = mode == arguments.end() ? default_mode : static_cast<std::uint32_t>(mode->second.as_int()) & 07777U;
  if (!manageable_) return meta;
  const auto owner = arguments.find("owner");
  const auto group = arguments.find("group");
  if (owner != arguments.end()) meta.uid = accounts_.uid_of(owner->second.as_text());
  if (group != arguments.end()) meta.gid = accounts_.gid_of(group->second.as_text());
  return meta;
}

Attributes observe_path(const System& system, const std::string& path, FileType expected,
                        const std::function<void(const FileStat&, Attributes&)>& look) {
  Attributes attributes{{"present", true}};
  try {
    const std::optional<FileStat> stat = system.stat(path);
    if (!stat) return {{"present", false}};
    if (stat->type == expected) {
      look(*stat, attributes);
    } else {
      attributes["obstacle"] = noun(stat->type);
    }
  } catch (const Error& error) {
    attributes["obstacle"] = error.what();
  }
  return attributes;
}

bool differs(const Attributes& from, const Attributes& to, std::string_view key) {
  const auto wanted = to.find(key);
  if (wanted == to.end()) return false;
  const auto found = from.find(key);
  return found == from.end() || found->second != wanted->second;
}

bool is_present(const Attributes& attributes) {
  const auto present = attributes.find("present");
  return present == attributes.end() || present->second.as_bool();
}

Map pick(const Attributes& from, std::initializer_list<const char*> keys) {
  Map picked;
  for (const char* key : keys) {
    const auto found = from.find(key);
    if (found != from.end()) picked.insert(*found);
  }
  return picked;
}

void ensure_folder(System& system, const std::string& path) {
  const std::optional<FileStat> stat = system.stat(path);
  if (stat && stat->type == FileType::directory) return;
  if (stat) throw Error("expected a directory at \"" + path + "\", found " + std::string(noun(stat->type)));
  const std::string parent = parent_of(path);
  if (!system.stat(parent)) {
    ensure_folder(system, parent);
    system.set_meta(parent, {.mode = 0755});
  }
  system.make_directory(path, {.mode = 0700});
}

void refuse_verb(const std::string& verb) { throw Error("there is no step \"" + verb + "\""); }

}  // namespace holdfast
