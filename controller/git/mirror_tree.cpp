#include <controller/git/mirror_tree.hpp>

#include <controller/git/mirror_files.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>
#include <manifests/text.hpp>

#include <algorithm>
#include <cstdint>

namespace holdfast {

namespace {

constexpr std::size_t max_entries = 200'000;
constexpr std::uint64_t max_tree_bytes = 512ULL << 20U;
constexpr std::size_t max_depth = 64;
constexpr std::size_t max_path_bytes = 4096;

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (point.bytes == 0) return false;
    at += point.bytes;
  }
  return true;
}

/// Why no host could hold an entry of this name, or no message carry it; "" where all is well.
std::string refuse_name(std::string_view name) {
  if (name.empty() || name == "." || name == "..") return "is no file name";
  if (name.size() > 255) return "is longer than 255 bytes";
  if (name.find('/') != std::string_view::npos) return "contains \"/\"";
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; };
  if (std::any_of(name.begin(), name.end(), is_control)) return "contains control characters";
  if (!is_utf8(name)) return "is not UTF-8";
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower == ".git" ? "is git's own" : "";
}

/// Lists a tree without recursion into functions: folders wait in `folders_`, so depth costs no stack.
class Lister {
 public:
  explicit Lister(git_repository* repository) : repository_(repository) {
    git_odb* raw = nullptr;
    check_git(git_repository_odb(&raw, repository), "opening the mirror's objects");
    odb_.reset(raw);
  }

  std::vector<TreeEntry> list(const git_oid& root) {
    folders_.push_back({root, "", 0});
    while (!folders_.empty()) {
      const Folder folder = folders_.back();
      folders_.pop_back();
      add_folder(folder);
    }
    std::sort(entries_.begin(), entries_.end(), [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
    return std::move(entries_);
  }

 private:
  struct Folder {
    git_oid id{};
    std::string path{};
    std::size_t depth = 0;
  };

  void add_folder(const Folder& folder) {
    git_tree* raw = nullptr;
    check_object(git_tree_lookup(&raw, repository_, &folder.id),
                 "reading the folder \"" + printable(folder.path) + "\"");
    const GitTree tree(raw);
    for (std::size_t i = 0; i < git_tree_entrycount(raw); ++i) add_entry(folder, git_tree_entry_byindex(raw, i));
  }

  void add_entry(const Folder& folder, const git_tree_entry* entry) {
    const std::string name = git_tree_entry_name(entry);
    const std::string path = folder.path.empty() ? name : folder.path + "/" + name;
    const std::string refused = refuse_name(name);
    if (!refused.empty()) throw Error("the name of \"" + printable(path) + "\" " + refused);
    if (path.size() > max_path_bytes)
      throw Error("a path is longer than 4096 bytes: \"" + printable(path.substr(0, 80)) + "…\"");
    if (++seen_ > max_entries) throw Error("the tree has more than 200,000 entries");
    if (git_tree_entry_type(entry) == GIT_OBJECT_TREE) {
      if (folder.depth + 1 > max_depth)
        throw Error("folders are nested deeper than 64 levels at \"" + printable(path) + "\"");
      folders_.push_back({*git_tree_entry_id(entry), path, folder.depth + 1});
      return;
    }
    add_leaf(path, entry);
  }

  void add_leaf(const std::string& path, const git_tree_entry* entry) {
    TreeEntry leaf{.path = path, .type = EntryType::file, .id = to_text(*git_tree_entry_id(entry)), .size = 0};
    switch (git_tree_entry_filemode(entry)) {
      case GIT_FILEMODE_COMMIT:
        leaf.type = EntryType::submodule;
        break;
      case GIT_FILEMODE_LINK:
        leaf.type = EntryType::symlink;
        break;
      case GIT_FILEMODE_BLOB_EXECUTABLE:
        leaf.type = EntryType::executable;
        break;
      default:
        break;
    }
    if (leaf.type != EntryType::submodule) leaf.size = size_of(path, *git_tree_entry_id(entry));
    bytes_ += leaf.size;
    if (bytes_ > max_tree_bytes) throw Error("the tree's files are more than 512 MiB together");
    entries_.push_back(std::move(leaf));
  }

  std::uint64_t size_of(const std::string& path, const git_oid& id) {
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    check_object(git_odb_read_header(&size, &type, odb_.get(), &id), "reading \"" + printable(path) + "\"");
    if (type != GIT_OBJECT_BLOB) throw Error("\"" + printable(path) + "\" is no file in the repository");
    return size;
  }

  git_repository* repository_;
  GitOdb odb_;
  std::vector<Folder> folders_;
  std::vector<TreeEntry> entries_;
  std::size_t seen_ = 0;
  std::uint64_t bytes_ = 0;
};

git_oid tree_of(git_repository* repository, const std::string& commit) {
  const git_oid id = object_id(commit);
  git_commit* raw = nullptr;
  check_object(git_commit_lookup(&raw, repository, &id), "reading commit " + commit);
  const GitCommit owned(raw);
  return *git_commit_tree_id(raw);
}

}  // namespace

std::string read_blob(git_repository* repository, const std::string& id, std::size_t max_bytes) {
  const git_oid blob_id = object_id(id);
  git_odb* raw_odb = nullptr;
  check_git(git_repository_odb(&raw_odb, repository), "opening the mirror's objects");
  const GitOdb odb(raw_odb);
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  check_object(git_odb_read_header(&size, &type, raw_odb, &blob_id), "reading blob " + id);
  if (size > max_bytes) {
    throw Error("blob " + id + " has " + std::to_string(size) + " bytes, at most " + std::to_string(max_bytes) +
                " are taken");
  }
  git_blob* raw = nullptr;
  check_object(git_blob_lookup(&raw, repository, &blob_id), "reading blob " + id);
  const GitBlob blob(raw);
  return {static_cast<const char*>(git_blob_rawcontent(raw)), static_cast<std::size_t>(git_blob_rawsize(raw))};
}

MirrorTree::MirrorTree(const std::string& folder, const std::string& commit)
    : folder_(folder), repository_(open_repository(folder)), commit_(commit) {
  entries_ = while_doing("listing commit " + commit, [&] {
    return marking_damage(folder_, [&] { return Lister(repository_.get()).list(tree_of(repository_.get(), commit)); });
  });
}

std::vector<TreeEntry> MirrorTree::list(std::string_view folder) const {
  while (!folder.empty() && folder.back() == '/') folder.remove_suffix(1);
  if (folder.empty()) return entries_;
  const std::string prefix = std::string(folder) + "/";
  const auto by_path = [](const TreeEntry& entry, const std::string& path) { return entry.path < path; };
  auto begin = std::lower_bound(entries_.begin(), entries_.end(), prefix, by_path);
  auto end = begin;
  while (end != entries_.end() && end->path.compare(0, prefix.size(), prefix) == 0) ++end;
  return {begin, end};
}

std::optional<std::string> MirrorTree::read(std::string_view path, std::size_t max_bytes) const {
  const auto by_path = [](const TreeEntry& entry, std::string_view wanted) { return entry.path < wanted; };
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), path, by_path);
  if (found == entries_.end() || found->path != path) return std::nullopt;
  if (found->type != EntryType::file && found->type != EntryType::executable) return std::nullopt;
  return while_doing("reading \"" + printable(found->path) + "\" of commit " + commit_, [&] {
    return marking_damage(folder_, [&] { return read_blob(repository_.get(), found->id, max_bytes); });
  });
}

}  // namespace holdfast
