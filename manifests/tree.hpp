#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

enum class EntryType { file, executable, symlink, submodule };

/// One leaf of a tree. `id` names its content where the source has such names (a git blob id), else it is empty.
struct TreeEntry {
  std::string path{};  // relative, '/'-separated, no "." or ".." segments
  EntryType type = EntryType::file;
  std::string id{};
  std::uint64_t size = 0;
};

/// Where manifests and release content are read from: a commit's tree (controller/git) or a directory (DirectoryTree).
/// Immutable while it is read; safe to use from one thread at a time.
class Tree {
 public:
  virtual ~Tree() = default;
  /// Every leaf below `folder` ("" for all), sorted by path. Throws Error on more than a million entries.
  [[nodiscard]] virtual std::vector<TreeEntry> list(std::string_view folder) const = 0;
  /// The bytes of a file; nullopt where there is none (or it is no plain file). Throws Error where it is larger.
  [[nodiscard]] virtual std::optional<std::string> read(std::string_view path, std::size_t max_bytes) const = 0;
  /// How to tell people what this is: "commit 3f2a… of main" or "directory deploy".
  [[nodiscard]] virtual std::string describe() const = 0;
};

/// A folder on this machine, for `holdfast validate DIR`. Entries that begin with a dot are left out; symbolic links
/// are listed as such and never followed. Throws Error where the folder can't be read.
class DirectoryTree : public Tree {
 public:
  explicit DirectoryTree(std::string root);
  [[nodiscard]] std::vector<TreeEntry> list(std::string_view folder) const override;
  [[nodiscard]] std::optional<std::string> read(std::string_view path, std::size_t max_bytes) const override;
  [[nodiscard]] std::string describe() const override;

 private:
  std::string root_;
};

/// A tree held in memory: path -> bytes, all plain files. For tests and for the manifests that `init` writes.
class MemoryTree : public Tree {
 public:
  explicit MemoryTree(std::vector<std::pair<std::string, std::string>> files);
  [[nodiscard]] std::vector<TreeEntry> list(std::string_view folder) const override;
  [[nodiscard]] std::optional<std::string> read(std::string_view path, std::size_t max_bytes) const override;
  [[nodiscard]] std::string describe() const override { return "memory"; }

 private:
  std::vector<std::pair<std::string, std::string>> files_;
};

}  // namespace holdfast
