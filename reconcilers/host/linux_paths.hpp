#pragma once

#include <reconcilers/fd.hpp>

#include <string>
#include <string_view>

namespace holdfast {

/// A path cut into the open directory that holds it and its last component ("." for the root itself).
struct Place {
  Fd folder{};  // O_PATH; empty where a parent is missing or no directory
  std::string name{};
};

/// Finds the parent of `path` below `root`, an open directory. No symbolic link is followed in it, but those that root
/// (or whoever we are) owns in a directory that nobody else may write to: /var/run, /lib. Absolute targets mean `root`.
/// Throws Error on a path that is not absolute and normalised, and on a link that another user could have planted.
Place find_place(const Fd& root, const std::string& path);

/// A second descriptor for a directory that can be read and synced; throws Error.
Fd open_folder(const Fd& folder, const std::string& shown);

/// "/a/b" of "/a/b/c", "/" of "/a".
std::string parent_of(const std::string& path);
/// "c" of "/a/b/c".
std::string name_of(const std::string& path);
/// What something of that name is called in its folder until it is whole. One name per target, so that what a killed
/// runner left behind is replaced by the next write to the same path.
std::string temporary_name(const std::string& name);

/// Where the file system that holds an open file is mounted; "" where that can't be told.
std::string mount_point_of(int fd);

/// Whether what is open (also by O_PATH) is immutable or append-only.
bool is_immutable(int near);

/// Throws Error for `doing path: reason`; says what stands behind ENOSPC, EROFS, EPERM (immutable) and EISDIR.
/// `near` is an open file or directory on the file system concerned, or -1.
[[noreturn]] void throw_system_error(std::string_view doing, const std::string& path, int error, int near);

}  // namespace holdfast
