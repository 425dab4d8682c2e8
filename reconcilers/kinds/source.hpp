#pragma once

#include <manifests/tree.hpp>

#include <string>

namespace holdfast {

/// What `source:` of a manifest led to: the bytes, or why not.
struct SourceFile {
  std::string bytes{};
  std::string fault{};  // empty: the bytes are good
  std::string hint{};
};

/// Reads `source`, relative to the manifest's `folder`. Only a plain file of at most 8 MiB will do; nothing follows a
/// symbolic link, and nothing leaves the tree.
SourceFile read_source_file(const Tree& tree, const std::string& folder, const std::string& source);

}  // namespace holdfast
