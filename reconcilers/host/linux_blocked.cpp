#include <reconcilers/host/linux_system.hpp>

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cctype>
#include <fstream>
#include <sstream>

namespace holdfast {

namespace {

/// linux/stat.h and sys/stat.h can't be had together: only what is needed of the first.
struct statx look(int folder, const char* name, int flags) {
  struct statx found {};
  if (::syscall(SYS_statx, folder, name, flags | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &found) != 0)
    found.stx_mask = 0;
  return found;
}

bool has(const struct statx& found, std::uint64_t attribute) { return (found.stx_attributes & attribute) != 0; }

bool is_read_only(int fd) {
  struct statvfs usage {};
  return ::fstatvfs(fd, &usage) == 0 && (usage.f_flag & ST_RDONLY) != 0;
}

/// What chattr set; asked in the old way where the file system does not tell statx.
std::string protection_of(int folder, const char* name, int flags) {
  const struct statx found = look(folder, name, flags);
  if (has(found, STATX_ATTR_IMMUTABLE)) return "immutable (chattr -i ends that)";
  if (has(found, STATX_ATTR_APPEND)) return "append-only (chattr -a ends that)";
  if ((found.stx_attributes_mask & STATX_ATTR_IMMUTABLE) != 0) return {};
  const Fd fd(::openat(folder, *name == '\0' ? "." : name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  return fd && is_immutable(fd.get()) ? "immutable or append-only (chattr -ia ends that)" : std::string();
}

/// mountinfo writes a space as \040.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool octal = text[i] == '\\' && i + 3 < text.size() && std::isdigit(text[i + 1]) != 0;
    plain += octal ? static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8)) : text[i];
    if (octal) i += 3;
  }
  return plain;
}

}  // namespace

std::string LinuxSystem::blocked(const std::string& path, Change change) const {
  std::string near = path;
  Place found = place(near);
  while (!found.folder && near != "/") {
    near = parent_of(near);
    found = place(near);
  }
  const int folder = found.folder.get();
  if (is_read_only(folder)) {
    const std::string mount = mount_point_of(folder);
    return "the file system " + (mount.empty() ? std::string() : "mounted on \"" + mount + "\" ") + "is read-only";
  }
  if (near != path) return {};
  const std::string own = protection_of(folder, found.name.c_str(), 0);
  if (!own.empty()) return "it is " + own;
  if (change == Change::attributes) return {};
  const std::string above = protection_of(folder, "", AT_EMPTY_PATH);
  if (!above.empty()) return "its folder is " + above;
  const struct statx entry = look(folder, found.name.c_str(), 0);
  return has(entry, STATX_ATTR_MOUNT_ROOT) ? "something is mounted on it" : std::string();
}

std::set<std::string> LinuxSystem::mount_points() const {
  std::set<std::string> points;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string id, parent, numbers, root, point;
    if (!(fields >> id >> parent >> numbers >> root >> point)) continue;
    point = unescaped(point);
    if (point == prefix_ || point == "/" ) point = prefix_ + "/";
    if (point.starts_with(prefix_ + "/")) points.insert(point.substr(prefix_.size()));
  }
  return points;
}

}  // namespace holdfast
