#pragma once

#include <controller/git/libgit.hpp>

#include <string>

namespace holdfast {

/// Removes what a killed fetch left half written. Only for the holder of the mirror's lock.
void remove_partial_packs(const std::string& folder);

/// Puts many small packs (every fetch leaves one) together into one. Readers are not disturbed: the new pack is in
/// place before the old ones go. Does nothing until there are more than `most` of them.
void join_small_packs(git_repository* repository, const std::string& folder, std::size_t most);

/// Puts objects that lie in files of their own, as write_commit() leaves them, together into one pack: a commit for
/// each of thousands of files is hundreds of times smaller there. Does nothing while there are about `most` or fewer.
/// Readers are not disturbed. Only for the holder of the mirror's lock.
void pack_loose_objects(git_repository* repository, const std::string& folder, std::size_t most);

}  // namespace holdfast
