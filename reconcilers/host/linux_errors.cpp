#include <reconcilers/host/linux_paths.hpp>

#include <manifests/error.hpp>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace holdfast {

std::string mount_point_of(int fd) {
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) return {};
  const std::string device = std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev));
  std::ifstream mounts("/proc/self/mountinfo");
  std::string line;
  std::string found;
  while (std::getline(mounts, line)) {
    std::istringstream fields(line);
    std::string id, parent, numbers, root, point;
    if (fields >> id >> parent >> numbers >> root >> point && numbers == device) found = point;
  }
  return found;
}

bool is_immutable(int near) {
  const std::string proc = "/proc/self/fd/" + std::to_string(near);
  const Fd fd(::open(proc.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  int flags = 0;
  return fd && ::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) == 0 && (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) != 0;
}

namespace {

std::string no_space(int near) {
  const std::string mount = mount_point_of(near);
  const std::string where = mount.empty() ? "its file system" : "the file system mounted on \"" + mount + "\"";
  struct statvfs usage {};
  const bool inodes = near >= 0 && ::fstatvfs(near, &usage) == 0 && usage.f_files > 0 && usage.f_favail == 0;
  return where + (inodes ? " has no free inode (ENOSPC)" : " is full (ENOSPC)");
}

std::string reason(int error, int near) {
  switch (error) {
    case ENOSPC:
      return no_space(near);
    case EDQUOT:
      return "the disk quota is used up (EDQUOT)";
    case EROFS: {
      const std::string mount = mount_point_of(near);
      return mount.empty() ? "its file system is read-only (EROFS)"
                           : "the file system mounted on \"" + mount + "\" is read-only (EROFS)";
    }
    case EPERM:
      if (near >= 0 && is_immutable(near)) return "it is immutable (chattr -i makes it changeable)";
      break;
    case EISDIR:
      return "a directory is in the way";
    case EBUSY:
      return "it is in use, or something is mounted on it (EBUSY)";
    default:
      break;
  }
  return std::strerror(error);
}

}  // namespace

void throw_system_error(std::string_view doing, const std::string& path, int error, int near) {
  throw Error(std::string(doing) + " \"" + path + "\": " + reason(error, near));
}

}  // namespace holdfast
