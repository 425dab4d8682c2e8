#pragma once

#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/system.hpp>

#include <string>
#include <vector>

namespace holdfast {

// Compare and swap for names in a folder. Looking first and renaming then loses what someone writes in between; here the
// new and the old change places in one system call, and only then it is looked at what came out: where that is not what
// was expected, they change back. Until it is decided, what came out stands beside its place as
// `.holdfast-<digest of the name>-<inode of ours>`: whoever finds it there after a crash can tell whose it is. Where a
// file system can't exchange names, it is looked first and renamed then.

/// Gives what is whole under `temporary` in the folder of `place` the place's name. Throws ChangedByOthers, with their
/// bytes in place, where there is anything but what was expected, or someone is just writing to it.
void swap_in(const Place& place, const std::string& path, const char* temporary, const Expected& expected);

/// Removes the place's name on the same terms. Absent already is fine.
void take_out(const Place& place, const std::string& path, const Expected& expected);

/// After a crash: removes what a swap or a removal left beside `place`. What is neither ours nor one of `known`
/// (digests of contents, targets of links) is someone's, and goes back to its place; where they have put something
/// newer there meanwhile, it is kept beside it. Gives the names of what was kept.
std::vector<std::string> settle_swap(const Place& place, const std::string& path,
                                     const std::vector<std::string>& known);

}  // namespace holdfast
