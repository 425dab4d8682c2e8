#include <reconcilers/host/path_watch.hpp>

#include <manifests/error.hpp>

#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace holdfast {

namespace {

constexpr std::size_t most_watches = 4096;  // about 1 KiB each, in the kernel
constexpr std::uint32_t folder_mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_CLOSE_WRITE |
                                      IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t file_mask = IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_DONT_FOLLOW;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

PathWatch::PathWatch(std::string root) : root_(std::move(root)), fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!fd_) throw Error(std::string("the kernel gives no watch: ") + std::strerror(errno));
}

/// Every folder on the way to a path decides what is at it.
PathWatch::Folders PathWatch::folders_of(const std::set<std::string>& paths) {
  Folders folders;
  for (const std::string& path : paths) {
    for (std::string at = path; at.size() > 1; at = folder_of(at))
      folders[folder_of(at)].meant[name_of(at)].insert(path);
  }
  return folders;
}

int PathWatch::watch(const std::string& path, std::uint32_t mask) const {
  return ::inotify_add_watch(fd_.get(), (root_ + path).c_str(), mask);
}

PathWatch::Reach PathWatch::arm(const std::set<std::string>& paths, const std::set<std::string>& files) {
  std::map<int, Folder> now;
  std::set<std::string> left_out;
  const auto add = [&](const std::string& at, std::uint32_t mask, const std::set<std::string>& meant) -> Folder* {
    const int wd = now.size() < most_watches ? watch(at, mask) : -1;
    if (wd >= 0) return &now[wd];
    // What is not there is seen by the folder above it when it comes.
    if (now.size() >= most_watches || errno == ENOSPC) left_out.insert(meant.begin(), meant.end());
    return nullptr;
  };
  for (auto& [at, folder] : folders_of(paths)) {
    std::set<std::string> all;
    for (const auto& [name, meant] : folder.meant) all.insert(meant.begin(), meant.end());
    if (Folder* watched = add(at, folder_mask, all)) {
      for (auto& [name, meant] : folder.meant) watched->meant[name].insert(meant.begin(), meant.end());
      watched->itself.insert(all.begin(), all.end());
    }
  }
  for (const std::string& file : files) {
    if (Folder* watched = add(file, file_mask, {file})) watched->itself.insert(file);
  }
  for (const auto& [wd, folder] : watched_) {
    if (!now.contains(wd)) ::inotify_rm_watch(fd_.get(), wd);
  }
  watched_ = std::move(now);
  drain();
  return {.paths = paths.size() - left_out.size(), .left_out = left_out.size()};
}

void PathWatch::drain() const {
  std::array<char, 65536> buffer{};
  while (::read(fd_.get(), buffer.data(), buffer.size()) > 0) continue;
}

PathWatch::News PathWatch::take() {
  News news;
  alignas(inotify_event) std::array<char, 65536> buffer{};
  constexpr int most_reads = 64;  // the kernel's queue is longer than this only where nobody listened
  for (int i = 0; i < most_reads; ++i) {
    const ssize_t count = ::read(fd_.get(), buffer.data(), buffer.size());
    if (count <= 0) return news;
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(count);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const std::string name = event.len == 0 ? "" : std::string(buffer.data() + at + sizeof event);
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) news.overflow = true;
      tell(event.wd, event.mask, name, news);
    }
  }
  news.overflow = true;
  return news;
}

void PathWatch::tell(int wd, std::uint32_t mask, const std::string& name, News& news) const {
  const auto found = watched_.find(wd);
  if (found == watched_.end() || (mask & IN_IGNORED) != 0) return;
  if (name.empty()) {
    // A folder's own attributes are told by the folder above it, too; here only that it went.
    const bool file = found->second.meant.empty();
    if (file || (mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0) {
      news.paths.insert(found->second.itself.begin(), found->second.itself.end());
    }
    return;
  }
  const auto meant = found->second.meant.find(name);
  if (meant != found->second.meant.end()) news.paths.insert(meant->second.begin(), meant->second.end());
}

}  // namespace holdfast
