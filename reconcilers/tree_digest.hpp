#pragma once

#include <manifests/value.hpp>

#include <string>

namespace holdfast {

/// The identity of a release's source tree (docs/primitives.md, "tree.digest"), of entries in any order: each
/// {path, mode, content} for a file or {path, target} for a symbolic link; other members do not count.
std::string tree_digest(const List& entries);

}  // namespace holdfast
