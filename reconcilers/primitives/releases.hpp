#pragma once

#include <reconcilers/primitives/primitive_kind.hpp>
#include <reconcilers/primitives/tree_record.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast {

/// The digests that applying `wanted` (a file or a tree) needs and this host hasn't got: neither in the vault, nor in
/// place already, nor in a release beside it. `observed` is what was observed of it. In the order of the entries.
std::vector<std::string> needed_contents(const System& system, const Vault& vault, const Wanted& wanted,
                                         const Attributes& observed);

/// What the releases in the same folder hold, by content digest; told from their records, to be verified before use.
std::multimap<std::string, std::string> sibling_files(const System& system, const std::string& path);

struct ReleasesToKeep {
  std::string folder{};            // that holds the releases
  std::string link{};              // what it points to always stays
  std::size_t keep = 5;            // the newest ones
  std::set<std::string> in_use{};  // full paths that a generation or an open transaction still needs
};

/// Deletes old releases of ours from a releases folder, and those whose removal is confirmed; never what holdfast has
/// no record of. Returns the paths that are gone. For after a confirm.
std::vector<std::string> prune_releases(System& system, const ReleasesToKeep& what);

}  // namespace holdfast
