#pragma once

#include <manifests/document.hpp>
#include <manifests/fleet.hpp>
#include <manifests/schema.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// More are not collected: nobody reads on, and a hostile tree could have millions.
inline constexpr std::size_t most_problems = 1000;

/// A document whose apiVersion and kind are known ones. Its metadata and spec are not checked yet.
struct Manifest {
  std::string kind{};
  Document document{};
  std::string folder{};  // of its file
};

/// The manifests below some folders of a tree, and what of them could not be read.
struct LoadedManifests {
  std::vector<Manifest> manifests{};  // by path, then as they stand in the file
  std::vector<Problem> problems{};
  std::map<std::string, std::string> texts{};  // of the files that were read, by path
  bool complete = true;                        // false: a limit ended it before the last file
};

/// The folder that holds the fleet's manifests; "" for the whole tree.
std::string fleet_folder(const Tree& tree, const LoadOptions& options);

/// Reads every manifest below the folders. Files over the limits, links and submodules in the place of manifests and
/// paths that differ in case only are problems.
LoadedManifests load_manifests(const Tree& tree, const std::vector<std::string>& folders);

/// With the position narrowed down to the finding's needle, where the text of the file has it.
Problem place_finding(const Finding& finding, const Document& document,
                      const std::map<std::string, std::string>& texts);

/// Gives every problem the line that it is about, and sorts them.
void finish_problems(std::vector<Problem>& problems, const std::map<std::string, std::string>& texts);

}  // namespace holdfast
