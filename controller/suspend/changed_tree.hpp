#pragma once

#include <manifests/tree.hpp>

#include <map>
#include <string>

namespace holdfast {

/// A tree in which some files have other bytes. Both must outlive it.
class ChangedTree : public Tree {
 public:
  ChangedTree(const Tree& tree, const std::map<std::string, std::string>& files) : tree_(tree), files_(files) {}

  [[nodiscard]] std::vector<TreeEntry> list(std::string_view folder) const override { return tree_.list(folder); }
  [[nodiscard]] std::optional<std::string> read(std::string_view path, std::size_t max_bytes) const override {
    const auto found = files_.find(std::string(path));
    if (found == files_.end()) return tree_.read(path, max_bytes);
    return found->second;
  }
  [[nodiscard]] std::string describe() const override { return tree_.describe(); }

 private:
  const Tree& tree_;
  const std::map<std::string, std::string>& files_;
};

}  // namespace holdfast
