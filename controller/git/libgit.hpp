#pragma once

// This folder's own way to libgit2: included by its .cpp files only, so that git2.h stays in here.

#include <manifests/error.hpp>

#include <git2.h>

#include <memory>
#include <string>

namespace holdfast {

template <auto Free>
struct GitFree {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};

using GitRepository = std::unique_ptr<git_repository, GitFree<git_repository_free>>;
using GitConfig = std::unique_ptr<git_config, GitFree<git_config_free>>;
using GitReference = std::unique_ptr<git_reference, GitFree<git_reference_free>>;
using GitReferences = std::unique_ptr<git_reference_iterator, GitFree<git_reference_iterator_free>>;
using GitObject = std::unique_ptr<git_object, GitFree<git_object_free>>;
using GitCommit = std::unique_ptr<git_commit, GitFree<git_commit_free>>;
using GitTree = std::unique_ptr<git_tree, GitFree<git_tree_free>>;
using GitTreeEntry = std::unique_ptr<git_tree_entry, GitFree<git_tree_entry_free>>;
using GitBlob = std::unique_ptr<git_blob, GitFree<git_blob_free>>;
using GitOdb = std::unique_ptr<git_odb, GitFree<git_odb_free>>;
using GitOdbObject = std::unique_ptr<git_odb_object, GitFree<git_odb_object_free>>;
using GitTag = std::unique_ptr<git_tag, GitFree<git_tag_free>>;
using GitSignature = std::unique_ptr<git_signature, GitFree<git_signature_free>>;
using GitTreeBuilder = std::unique_ptr<git_treebuilder, GitFree<git_treebuilder_free>>;
using GitWalk = std::unique_ptr<git_revwalk, GitFree<git_revwalk_free>>;
using GitIndex = std::unique_ptr<git_index, GitFree<git_index_free>>;
using GitConflicts = std::unique_ptr<git_index_conflict_iterator, GitFree<git_index_conflict_iterator_free>>;
using GitRemote = std::unique_ptr<git_remote, GitFree<git_remote_free>>;
using GitPatch = std::unique_ptr<git_patch, GitFree<git_patch_free>>;
using GitPackBuilder = std::unique_ptr<git_packbuilder, GitFree<git_packbuilder_free>>;

inline constexpr const char* heads_prefix = "refs/holdfast/heads/";
inline constexpr const char* tags_prefix = "refs/holdfast/tags/";
inline constexpr const char* asked_prefix = "refs/holdfast/asked/";

/// Starts the library once per process: without system, user or programme configuration, and without its check of who
/// owns a repository (bare ones escape it; Mirror checks its folder itself). Call it before anything else of it.
void start_libgit();

/// The bare repository in a folder, with an empty configuration instead of its own file's. Throws Error.
GitRepository open_repository(const std::string& folder);

/// The library's words for its last failure, made printable.
std::string git_problem();
/// Throws Error "DOING: what the library said" for a negative code.
void check_git(int code, const std::string& doing);

/// An object that the mirror should have can't be read as it was written: the mirror has to be made anew.
class DamagedObject : public Error {
 public:
  using Error::Error;
};
/// As check_git, for reading what has to be there.
void check_object(int code, const std::string& doing);

/// Throws Error for a text that is no full object id.
git_oid object_id(const std::string& text);
std::string to_text(const git_oid& id);

}  // namespace holdfast
