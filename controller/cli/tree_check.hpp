#pragma once

#include <manifests/fleet.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace holdfast {

/// What can be said of a whole tree without any host.
struct TreeCheck {
  std::size_t manifests = 0;  // documents, environments among them
  std::size_t environments = 0;
  std::size_t hosts = 0;
  std::vector<Problem> problems{};  // sorted, each once; empty: the tree is valid
};

/// Checks every environment of the tree, with the same tree as the content that it tracks, down to the primitives of
/// each host; and those manifests that no environment applies, as far as they can be understood alone. Releases of
/// other repositories are taken as they are written. Throws Error only where the tree can't be read.
TreeCheck check_tree(const Tree& tree, const LoadOptions& options);

}  // namespace holdfast
