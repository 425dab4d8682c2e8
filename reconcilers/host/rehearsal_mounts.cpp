#include <reconcilers/host/rehearsal_mounts.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/linux_paths.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace holdfast {

namespace {

/// The kernel writes spaces and the like of a path as octal numbers.
std::string unescaped(const std::string& text) {
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      path += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      path += text[i];
    }
  }
  return path;
}

std::vector<std::string> mounts_below(const std::string& folder) {
  std::vector<std::string> found;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string word;
    for (int i = 0; i < 5; ++i) words >> word;
    const std::string path = unescaped(word);
    if (path.starts_with(folder + "/")) found.push_back(path);
  }
  return found;
}

struct Kept {
  std::string path{};
  Fd tree{};
};

void mount_overlay(const std::string& folder, const std::string& work) {
  std::vector<Kept> kept;
  for (const std::string& path : mounts_below(folder)) {
    kept.push_back({path, Fd(::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC))});
  }
  for (const char* name : {"", "/upper", "/work"}) ::mkdir((work + name).c_str(), 0700);
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) throw_system_error("cannot look at", folder, errno, -1);
  // The upper directory lends its metadata to the merged one.
  if (::chown((work + "/upper").c_str(), status.st_uid, status.st_gid) != 0 ||
      ::chmod((work + "/upper").c_str(), status.st_mode & 07777U) != 0) {
    throw_system_error("cannot prepare", work, errno, -1);
  }
  const std::string options = "lowerdir=" + folder + ",upperdir=" + work + "/upper,workdir=" + work + "/work";
  if (::mount("overlay", folder.c_str(), "overlay", 0, options.c_str()) != 0) {
    throw_system_error("cannot put an overlay over", folder, errno, -1);
  }
  for (const Kept& one : kept) {
    if (one.tree) ::move_mount(one.tree.get(), "", AT_FDCWD, one.path.c_str(), MOVE_MOUNT_F_EMPTY_PATH);
  }
}

}  // namespace

void enter_overlays(const std::vector<std::string>& folders, const std::string& scratch) {
  if (::unshare(CLONE_NEWNS) != 0) throw_system_error("cannot have mounts of our own for", scratch, errno, -1);
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    throw_system_error("cannot keep mounts to ourselves for", "/", errno, -1);
  if (::mount("tmpfs", scratch.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") != 0) {
    throw_system_error("cannot mount memory at", scratch, errno, -1);
  }
  int number = 0;
  for (const std::string& folder : folders) {
    struct stat status {};
    if (::lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    mount_overlay(folder, scratch + "/" + std::to_string(++number));
  }
}

}  // namespace holdfast
