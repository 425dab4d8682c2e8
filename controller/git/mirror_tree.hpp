#pragma once

#include <controller/git/libgit.hpp>
#include <manifests/tree.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// A commit's tree out of a mirror, listed once and read by blob id. Has its own handle of the repository, so it may
/// live longer than the Mirror and in another thread.
class MirrorTree : public Tree {
 public:
  MirrorTree(const std::string& folder, const std::string& commit);
  [[nodiscard]] std::vector<TreeEntry> list(std::string_view folder) const override;
  [[nodiscard]] std::optional<std::string> read(std::string_view path, std::size_t max_bytes) const override;
  [[nodiscard]] std::string describe() const override { return "commit " + commit_; }

 private:
  std::string folder_;
  GitRepository repository_;
  std::string commit_;
  std::vector<TreeEntry> entries_;  // sorted by path
};

/// The bytes of a blob; throws Error where it is missing, damaged, or larger.
std::string read_blob(git_repository* repository, const std::string& id, std::size_t max_bytes);

}  // namespace holdfast
