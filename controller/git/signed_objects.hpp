#pragma once

#include <controller/git/libgit.hpp>
#include <controller/git/mirror.hpp>

#include <optional>
#include <string>

namespace holdfast {

/// The annotated tag that a reference names; nullopt where it names none, or one over 1 MiB.
std::optional<TagObject> read_tag_object(git_repository* repository, const std::string& reference);
/// The signature in a commit's header; nullopt where it has none.
std::optional<SignedBytes> read_commit_signature(git_repository* repository, const std::string& commit);

/// Parts a tag's bytes where git does: before the last line that begins a signature.
SignedBytes split_signature(const std::string& bytes);

}  // namespace holdfast
