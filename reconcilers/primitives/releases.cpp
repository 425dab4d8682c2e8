#include <reconcilers/primitives/releases.hpp>

#include <manifests/digest.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/primitives/place.hpp>
#include <reconcilers/primitives/secrets.hpp>
#include <reconcilers/primitives/tree_put.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::string_view stash_prefix = ".holdfast-removed-";

std::string child_of(const std::string& folder, const std::string& name) {
  return (folder == "/" ? "" : folder) + "/" + name;
}

std::vector<std::string> needed_for_file(const System& system, const Vault& vault, const Wanted& wanted,
                                         const Attributes& observed) {
  const Attributes resolved = resolve_wanted(system, vault, wanted);
  if (!is_present(resolved) || !differs(observed, resolved, "content")) return {};
  const std::string& digest = wanted.attributes.at("content").as_text();  // of the template, where there are secrets
  if (vault.has(digest)) return {};
  return {digest};
}

std::vector<std::string> needed_for_tree(const System& system, const Vault& vault, const Wanted& wanted,
                                         const Attributes& observed) {
  std::vector<std::string> needed;
  if (!is_present(wanted.attributes)) return needed;
  const std::string& path = wanted.id.name;
  const auto built = wanted.attributes.find("built");
  if (!differs(observed, wanted.attributes, "digest") &&
      (built == wanted.attributes.end() || !differs(observed, wanted.attributes, "built"))) {
    return needed;
  }
  const auto entries = wanted.parameters.find("entries");
  if (entries == wanted.parameters.end()) return needed;
  const std::multimap<std::string, std::string> siblings = sibling_files(system, path);
  const TreeRecord own = read_tree_record(system, path).value_or(TreeRecord{});
  std::set<std::string> seen;
  for (const ReleaseEntry& entry : release_entries(entries->second)) {
    if (entry.is_link() || vault.has(entry.content) || !seen.insert(entry.content).second) continue;
    const std::optional<ReleaseEntry> actual = actual_entry(system, path, entry, nullptr);
    if (same_entry(actual, expected_entry(own, wanted.attributes.at("digest").as_text(), entry))) continue;
    if (actual && actual->content == entry.content) continue;
    const auto [first, last] = siblings.equal_range(entry.content);
    const bool there =
        std::any_of(first, last, [&](const auto& file) { return system.digest(file.second) == entry.content; });
    if (!there) needed.push_back(entry.content);
  }
  return needed;
}

struct OldRelease {
  std::string path{};
  std::int64_t made_ns = 0;
};

std::string linked_path(const System& system, const std::string& link) {
  std::string target = link.empty() ? "" : system.read_link(link).value_or("");
  while (target.ends_with('/')) target.pop_back();
  if (target.empty() || target.front() == '/') return target;
  return child_of(parent_of(link), target);
}

/// Removing one name of a shared inode touches the others: their stamps are renewed where the content is still right.
void renew_stamps(System& system, const std::string& path) {
  std::optional<TreeRecord> record = read_tree_record(system, path);
  if (!record || !record->complete) return;
  bool changed = false;
  for (ReleaseEntry& entry : record->entries) {
    const std::optional<ReleaseEntry> actual = actual_entry(system, path, entry, &entry);
    if (!actual || !same_entry(actual, entry) || actual->stamp == entry.stamp) continue;
    entry.stamp = actual->stamp;
    changed = true;
  }
  if (changed) write_tree_record(system, *record);
}

void forget_release(System& system, const std::string& folder, const std::string& path) {
  system.remove_tree(folder);
  remove_tree_record(system, path);
  system.remove_file(build_log_path(path));
}

}  // namespace

std::vector<std::string> needed_contents(const System& system, const Vault& vault, const Wanted& wanted,
                                         const Attributes& observed) {
  if (wanted.id.type == PrimitiveType::file) return needed_for_file(system, vault, wanted, observed);
  if (wanted.id.type == PrimitiveType::tree) return needed_for_tree(system, vault, wanted, observed);
  return {};
}

std::multimap<std::string, std::string> sibling_files(const System& system, const std::string& path) {
  std::multimap<std::string, std::string> files;
  const std::string folder = parent_of(path);
  for (const std::string& name : system.list(folder)) {
    const std::string found = child_of(folder, name);
    const bool stashed = name.starts_with(stash_prefix);
    const std::string release = stashed ? child_of(folder, name.substr(stash_prefix.size())) : found;
    if (found == path) continue;
    const std::optional<TreeRecord> record = read_tree_record(system, release);
    if (!record) continue;
    for (const ReleaseEntry& entry : record->entries) {
      if (!entry.is_link()) files.emplace(entry.content, found + "/" + entry.path);
    }
  }
  return files;
}

std::vector<std::string> prune_releases(System& system, const ReleasesToKeep& what) {
  std::set<std::string> kept = what.in_use;
  kept.insert(linked_path(system, what.link));
  std::vector<OldRelease> releases;
  std::vector<std::string> gone;
  for (const std::string& name : system.list(what.folder)) {
    const std::string path = child_of(what.folder, name);
    if (name.starts_with(stash_prefix)) {
      const std::string release = child_of(what.folder, name.substr(stash_prefix.size()));
      if (kept.contains(release) || !read_tree_record(system, release)) continue;
      system.remove_tree(path);
      if (!system.stat(release)) remove_tree_record(system, release);
      gone.push_back(release);
    } else if (const std::optional<TreeRecord> record = read_tree_record(system, path)) {
      releases.push_back({path, record->made_ns});
    }
  }
  std::ranges::sort(releases, std::ranges::greater{}, &OldRelease::made_ns);
  for (std::size_t i = 0; i < releases.size(); ++i) {
    const std::string& path = releases[i].path;
    if (i < what.keep || kept.contains(path)) continue;
    forget_release(system, path, path);
    gone.push_back(path);
  }
  if (gone.empty()) return gone;
  for (const OldRelease& release : releases) renew_stamps(system, release.path);
  return gone;
}

}  // namespace holdfast
