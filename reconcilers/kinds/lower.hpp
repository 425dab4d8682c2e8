#pragma once

#include <manifests/fleet.hpp>
#include <manifests/tree.hpp>
#include <reconcilers/check.hpp>
#include <reconcilers/primitive.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// Where the bytes of a digest are: in memory, or in a blob of a repository's mirror (a release's files are never all
/// held in memory).
struct Content {
  std::uint64_t size = 0;
  std::string bytes{};       // when object is empty
  std::string repository{};  // "self" or a git URL
  std::string object{};      // git blob id in that repository
};

/// One leaf of a release's source tree.
struct SourceEntry {
  std::string path{};
  EntryType type = EntryType::file;
  std::string digest{};  // SHA-256 of the bytes of a file
  std::string target{};  // of a symbolic link
  std::string object{};  // git blob id
  std::uint64_t size = 0;
};

struct SourceTree {
  std::string commit{};  // full object id
  std::vector<SourceEntry> entries{};
};

/// Which revision of a repository: exactly one member is set; all are empty for `self`, the tracked commit.
struct SourceRevision {
  std::string tag{};
  std::string branch{};
  std::string commit{};
};

/// Resolves a release's source. The controller's reads git mirrors; `validate` uses one that knows only `self`.
class ReleaseSources {
 public:
  virtual ~ReleaseSources() = default;
  /// `repository` is "self" or a git URL; `folder` the part of it that is the release ("" for all).
  /// Throws Error where there is no such repository, revision or folder, and on pointers of Git LFS.
  virtual SourceTree resolve(const std::string& repository, const SourceRevision& revision,
                             const std::string& folder) = 0;
};

/// What lowering a host's resources gives: all of it, or problems and nothing that may be applied.
struct Lowered {
  Bundle bundle{};
  std::map<std::string, Content> contents{};  // by SHA-256, everything that the bundle's files and trees name
  std::vector<Check> checks{};
  std::vector<Problem> problems{};
};

/// The pure heart: a host's resources to primitives, checks and content. Adds the implied edges (docs/primitives.md),
/// merges what several resources say of one unit, and finds two owners of one path, missing references and cycles.
/// `tree` is the commit's, for `source:`; `commit` its full id.
Lowered lower(const Fleet& fleet, const std::string& host, const Tree& tree, const std::string& commit,
              ReleaseSources& sources);

/// What lowering finds wrong in a fleet of which some resources can't be read: in each resource by itself, and paths
/// with two owners. What refers to another resource is passed over: that one may be among the missing.
std::vector<Problem> lowering_problems(const Fleet& readable, const Tree& tree, ReleaseSources& sources);

}  // namespace holdfast
