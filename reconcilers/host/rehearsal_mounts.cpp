#include <reconcilers/host/rehearsal_mounts.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/linux_paths.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <set>
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

struct Mounted {
  std::string path{};
  std::string options{};  // of this mount, separated by commas
  std::string type{};
};

std::vector<Mounted> all_mounts() {
  std::vector<Mounted> found;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string word;
    Mounted one;
    for (int i = 0; i < 5; ++i) words >> word;
    one.path = unescaped(word);
    words >> one.options;
    while (words >> word && word != "-") {
    }
    words >> one.type;
    found.push_back(std::move(one));
  }
  return found;
}

std::set<std::string> mounts_below(const std::string& folder) {
  std::set<std::string> found;
  for (const Mounted& one : all_mounts()) {
    if (one.path.starts_with(folder + "/")) found.insert(one.path);
  }
  return found;
}

unsigned long flags_of(const Mounted& mounted) {
  static const std::map<std::string, unsigned long> known = {
      {"ro", MS_RDONLY}, {"nosuid", MS_NOSUID}, {"nodev", MS_NODEV}, {"noexec", MS_NOEXEC}};
  unsigned long flags = 0;
  std::istringstream words(mounted.options);
  for (std::string word; std::getline(words, word, ',');) {
    if (const auto flag = known.find(word); flag != known.end()) flags |= flag->second;
  }
  return flags;
}

/// A link that leads out of the overlays, or a mount that nobody thought of, must not lead a rehearsal to what is live.
std::vector<ReadOnly> close_everything() {
  std::vector<ReadOnly> closed;
  for (const Mounted& one : all_mounts()) {
    const unsigned long flags = flags_of(one);
    if ((flags & MS_RDONLY) != 0 || one.type == "autofs") continue;  // looking at one of those would mount it
    if (::mount(nullptr, one.path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, nullptr) == 0) {
      closed.push_back({one.path, flags});
    } else if (errno != EINVAL && errno != ENOENT) {  // those lie below another mount: nobody gets there
      throw_system_error("cannot protect for a rehearsal what is mounted at", one.path, errno, -1);
    }
  }
  return closed;
}

struct Kept {
  std::string path{};
  Fd tree{};
};

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

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

std::vector<ReadOnly> enter_overlays(const std::vector<std::string>& folders, const std::vector<std::string>& paths,
                                     const std::string& scratch) {
  if (::unshare(CLONE_NEWNS) != 0) throw_system_error("cannot have mounts of our own for", scratch, errno, -1);
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    throw_system_error("cannot keep mounts to ourselves for", "/", errno, -1);
  std::vector<ReadOnly> closed = close_everything();
  if (::mount("tmpfs", scratch.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") != 0) {
    throw_system_error("cannot mount memory at", scratch, errno, -1);
  }
  int number = 0;
  const auto cover = [&](const std::string& folder) {
    if (is_folder(folder)) mount_overlay(folder, scratch + "/" + std::to_string(++number));
  };
  for (const std::string& folder : folders) {
    const std::set<std::string> below = mounts_below(folder);
    cover(folder);
    for (const std::string& mounted : below) {
      const auto leads_there = [&](const std::string& path) { return path.starts_with(mounted + "/"); };
      if (std::ranges::any_of(paths, leads_there)) cover(mounted);
    }
  }
  return closed;
}

void let_be_written(const std::vector<ReadOnly>& mounts) {
  for (const ReadOnly& one : mounts)  // those that an overlay hides by now need it no more
    static_cast<void>(::mount(nullptr, one.path.c_str(), nullptr, MS_REMOUNT | MS_BIND | one.flags, nullptr));
}

}  // namespace holdfast
