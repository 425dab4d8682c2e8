#pragma once

#include <manifests/tree.hpp>
#include <reconcilers/kinds/lower.hpp>

namespace holdfast {

/// Release content as far as a tree alone tells: `self` is the tree, with digests that stand for no bytes; any other
/// repository is believed to have what is asked for. Good for finding problems, not for a plan.
class WrittenSources : public ReleaseSources {
 public:
  explicit WrittenSources(const Tree& tree) : tree_(tree) {}
  SourceTree resolve(const std::string& repository, const SourceRevision& revision, const std::string& folder) override;

 private:
  const Tree& tree_;
};

/// The commit that stands for one in a tree without commits.
std::string no_commit();

}  // namespace holdfast
