#pragma once

#include <controller/git/libgit.hpp>
#include <controller/git/publish.hpp>

#include <string>

// What publish.cpp and revert.cpp share.

namespace holdfast {

/// The mirror's repository for writing: what is written is on the disk before the call returns.
GitRepository writable_repository(const Mirror& mirror);
/// Throws Error where there is none.
GitCommit find_commit(git_repository* repository, const std::string& id);
/// Writes a commit of that tree, with one parent or none ("").
std::string commit_tree(git_repository* repository, const git_oid& tree, const std::string& parent,
                        const std::string& message, const Author& author);

}  // namespace holdfast
