#include <reconcilers/kinds/source.hpp>

#include <manifests/error.hpp>
#include <manifests/formats.hpp>
#include <manifests/text.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace holdfast {

namespace {

constexpr std::size_t most_bytes = 8U << 20U;

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// The leaf at `path` or, where a link stands in the way, that link.
const TreeEntry* entry_at(const std::vector<TreeEntry>& entries, std::string_view path) {
  for (const TreeEntry& entry : entries) {
    const bool in_the_way = entry.type == EntryType::symlink && path.starts_with(entry.path + "/");
    if (entry.path == path || in_the_way) return &entry;
  }
  return nullptr;
}

/// Files that may have been meant, as one would write them in `source`: near names, or the same name elsewhere.
std::string missing_hint(const std::vector<TreeEntry>& entries, const std::string& folder, const std::string& source) {
  const std::string prefix = folder.empty() ? "" : folder + "/";
  std::vector<std::string> candidates;
  for (const TreeEntry& entry : entries) {
    if (entry.path.starts_with(prefix)) candidates.push_back(entry.path.substr(prefix.size()));
  }
  const auto same_name = std::find_if(candidates.begin(), candidates.end(), [&](const std::string& candidate) {
    return name_of(candidate) == name_of(source);
  });
  if (same_name != candidates.end()) return "did you mean \"" + *same_name + "\"?";
  if (std::string hint = nearest_hint(source, candidates); !hint.empty()) return hint;
  std::vector<std::string> beside;
  for (const std::string& candidate : candidates) {
    if (folder_of(candidate) == folder_of(source)) beside.push_back(candidate);
  }
  if (beside.empty()) return "a source is relative to the manifest's folder";
  return "there is " + quoted_list(beside, "and", 6);
}

SourceFile fault(std::string what, std::string hint) {
  SourceFile result;
  result.fault = std::move(what);
  result.hint = std::move(hint);
  return result;
}

SourceFile explain_unreadable(const Tree& tree, const std::string& folder, const std::string& source) {
  const std::vector<TreeEntry> entries = tree.list(folder);
  const TreeEntry* entry = entry_at(entries, folder.empty() ? source : folder + "/" + source);
  if (entry == nullptr) {
    return fault("source \"" + source + "\" is not in " + tree.describe(), missing_hint(entries, folder, source));
  }
  if (entry->type == EntryType::symlink) {
    return fault("source \"" + source + "\" leads through the symbolic link \"" + entry->path + "\"",
                 "name the file that it points to");
  }
  return fault("source \"" + source + "\" is no plain file in " + tree.describe(), "name a file");
}

}  // namespace

SourceFile read_source_file(const Tree& tree, const std::string& folder, const std::string& source) {
  if (!is_relative_path(source)) {
    return fault("source \"" + source + "\" must be a path relative to the manifest, without \"..\"", "");
  }
  const std::string path = folder.empty() ? source : folder + "/" + source;
  try {
    if (auto bytes = tree.read(path, most_bytes)) {
      if (is_lfs_pointer(*bytes)) {
        return fault("source \"" + source + "\" is a Git LFS pointer: its content is not in the repository",
                     "commit the file itself");
      }
      SourceFile result;
      result.bytes = std::move(*bytes);
      return result;
    }
  } catch (const Error& error) {
    return fault("source \"" + source + "\" can't be used: " + error.what(), "carry large files in a Release");
  }
  return explain_unreadable(tree, folder, source);
}

}  // namespace holdfast
