#include <reconcilers/host/linux_system.hpp>

#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>
#include <reconcilers/host/linux_swap.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace holdfast {

namespace {

constexpr int max_depth = 256;

bool is_absent(int error) { return error == ENOENT || error == ENOTDIR; }

std::vector<std::string> names_in(int folder, const std::string& shown) {
  const int fd = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw_system_error("cannot list", shown, errno, folder);
  std::vector<std::string> names;
  DIR* opened = ::fdopendir(fd);
  while (const dirent* entry = ::readdir(opened)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(opened);
  return names;
}

/// Empties an open directory. Stays on one file system, so that nothing mounted below is ever emptied.
void empty_folder(int folder, dev_t device, const std::string& shown, int depth) {
  if (depth > max_depth) throw Error("cannot remove \"" + shown + "\": it is nested too deeply");
  for (const std::string& name : names_in(folder, shown)) {
    const std::string path = shown + "/" + name;
    struct stat status {};
    if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      throw_system_error("cannot look at", path, errno, folder);
    }
    const bool is_folder = S_ISDIR(status.st_mode);
    if (is_folder) {
      if (status.st_dev != device) throw Error("cannot remove \"" + path + "\": a file system is mounted there");
      const Fd below(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!below) throw_system_error("cannot open", path, errno, folder);
      empty_folder(below.get(), device, path, depth + 1);
    }
    if (::unlinkat(folder, name.c_str(), is_folder ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT) {
      throw_system_error("cannot remove", path, errno, folder);
    }
  }
}

void sync_folder(const Fd& folder, const std::string& path) {
  const Fd opened = open_folder(folder, path);
  if (::fsync(opened.get()) != 0) throw_system_error("cannot sync the folder of", path, errno, folder.get());
}

}  // namespace

void LinuxSystem::remove_file(const std::string& path) {
  const Place target = place(path);
  if (!target.folder) return;
  HOLDFAST_FAILPOINT("file.remove");
  if (::unlinkat(target.folder.get(), target.name.c_str(), 0) != 0) {
    if (is_absent(errno)) return;
    throw_system_error("cannot remove", path, errno, target.folder.get());
  }
  HOLDFAST_FAILPOINT("file.removed");
  sync_folder(target.folder, path);
}

void LinuxSystem::remove_expected(const std::string& path, const Expected& expected) {
  const Place target = place(path);
  if (!target.folder) return;
  HOLDFAST_FAILPOINT("file.take");
  take_out(target, path, expected);
  HOLDFAST_FAILPOINT("file.taken");
  sync_folder(target.folder, path);
}

std::vector<std::string> LinuxSystem::settle_unfinished(const std::string& path,
                                                        const std::vector<std::string>& known) {
  const Place target = place(path);
  if (!target.folder) return {};
  std::vector<std::string> kept = settle_swap(target, path, known);
  sync_folder(target.folder, path);
  return kept;
}

bool LinuxSystem::remove_directory(const std::string& path) {
  const Place target = place(path);
  if (!target.folder) return true;
  if (::unlinkat(target.folder.get(), target.name.c_str(), AT_REMOVEDIR) != 0) {
    if (errno == ENOENT) return true;
    if (errno == ENOTEMPTY || errno == EEXIST) return false;
    throw_system_error("cannot remove the directory", path, errno, target.folder.get());
  }
  HOLDFAST_FAILPOINT("directory.removed");
  sync_folder(target.folder, path);
  return true;
}

void LinuxSystem::remove_tree(const std::string& path) {
  const Place target = place(path);
  if (!target.folder) return;
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const Fd folder(::openat(target.folder.get(), target.name.c_str(), flags));
  if (!folder) {
    if (errno == ENOENT) return;
    throw_system_error("cannot remove the directory", path, errno, target.folder.get());
  }
  struct stat status {};
  struct stat above {};
  if (::fstat(folder.get(), &status) != 0 || ::fstat(target.folder.get(), &above) != 0) {
    throw_system_error("cannot look at", path, errno, folder.get());
  }
  if (path == "/" || status.st_dev != above.st_dev)
    throw Error("cannot remove \"" + path + "\": a file system is mounted there");
  HOLDFAST_FAILPOINT("tree.remove");
  empty_folder(folder.get(), status.st_dev, path, 0);
  HOLDFAST_FAILPOINT("tree.emptied");
  remove_directory(path);
}

}  // namespace holdfast
