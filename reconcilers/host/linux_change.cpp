#include <reconcilers/host/linux_system.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>
#include <reconcilers/host/linux_extended.hpp>
#include <reconcilers/host/linux_swap.hpp>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace holdfast {

namespace {

constexpr uid_t same_owner = static_cast<uid_t>(-1);
constexpr std::size_t copy_step = 64U << 20U;

void write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) throw_system_error("cannot write", path, errno, fd);
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void sync_folder(const Fd& folder, const std::string& path) {
  const Fd opened = open_folder(folder, path);
  if (::fsync(opened.get()) != 0) throw_system_error("cannot sync the folder of", path, errno, folder.get());
}

void set_open_meta(int fd, const FileMeta& meta, const std::string& path) {
  if ((meta.uid || meta.gid) && ::fchown(fd, meta.uid.value_or(same_owner), meta.gid.value_or(same_owner)) != 0) {
    throw_system_error("cannot set the owner of", path, errno, fd);
  }
  if (::fchmod(fd, meta.mode) != 0) throw_system_error("cannot set the mode of", path, errno, fd);
}

std::uint64_t free_bytes(int fd) {
  struct statvfs usage {};
  return ::fstatvfs(fd, &usage) == 0 ? static_cast<std::uint64_t>(usage.f_bavail) * usage.f_frsize : 0;
}

std::string mounted_on(int fd) {
  const std::string mount = mount_point_of(fd);
  return mount.empty() ? "" : "mounted on \"" + mount + "\" ";
}

/// A temporary file or link that is gone again where it never got its name.
class Temporary {
 public:
  Temporary(const Place& place) : folder_(place.folder.get()), name_(temporary_name(place.name)) {
    ::unlinkat(folder_, name_.c_str(), 0);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() { ::unlinkat(folder_, name_.c_str(), 0); }

  [[nodiscard]] const char* name() const { return name_.c_str(); }
  void rename_to(const Place& place, const std::string& path, const std::optional<Expected>& expected = {}) {
    if (expected) return swap_in(place, path, name_.c_str(), *expected);
    if (::renameat(folder_, name_.c_str(), folder_, place.name.c_str()) != 0) {
      throw_system_error("cannot put in place", path, errno, folder_);
    }
  }

 private:
  int folder_;
  std::string name_;
};

void copy_bytes(int from, int to, const std::string& path) {
  if (::ioctl(to, FICLONE, from) == 0) return;
  for (;;) {
    const ssize_t count = ::copy_file_range(from, nullptr, to, nullptr, copy_step, 0);
    if (count == 0) return;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
  }
  if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP && errno != EPERM) {
    throw_system_error("cannot write", path, errno, to);
  }
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t count = ::read(from, buffer.data(), buffer.size());
    if (count == 0) return;
    if (count < 0 && errno != EINTR) throw_system_error("cannot read what is copied to", path, errno, from);
    if (count > 0) write_all(to, {buffer.data(), static_cast<std::size_t>(count)}, path);
  }
}

}  // namespace

void LinuxSystem::replace(const std::string& path, const FileMeta& meta, const std::function<void(int)>& fill) {
  const Place target = existing_place("cannot write", path);
  Temporary temporary(target);
  const int folder = target.folder.get();
  Fd fd(::openat(folder, temporary.name(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) throw_system_error("cannot write", path, errno, folder);
  HOLDFAST_FAILPOINT("file.created");
  fill(fd.get());
  HOLDFAST_FAILPOINT("file.filled");
  const Fd old(::openat(folder, target.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (old) keep_extended(old.get(), fd.get());
  set_open_meta(fd.get(), meta, path);
  write_extended(fd.get(), meta.extended, path);
  if (meta.durable && ::fsync(fd.get()) != 0) throw_system_error("cannot sync", path, errno, fd.get());
  HOLDFAST_FAILPOINT("file.synced");
  fd = Fd();  // who writes into it from now on is someone else
  temporary.rename_to(target, path, meta.over);
  HOLDFAST_FAILPOINT("file.renamed");
  if (meta.durable) sync_folder(target.folder, path);
}

void LinuxSystem::write(const std::string& path, std::string_view bytes, const FileMeta& meta) {
  replace(path, meta, [&](int fd) { write_all(fd, bytes, path); });
}

void LinuxSystem::copy(const std::string& from, const std::string& path, const FileMeta& meta) {
  const Fd source = open_file(from);
  if (!source) throw Error("cannot copy \"" + from + "\" to \"" + path + "\": there is no such file");
  replace(path, meta, [&](int fd) { copy_bytes(source.get(), fd, path); });
}

void LinuxSystem::append(const std::string& path, std::string_view bytes, const FileMeta& meta) {
  const Place target = existing_place("cannot write", path);
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  const Fd fd(::openat(target.folder.get(), target.name.c_str(), flags, meta.mode));
  if (!fd) throw_system_error("cannot write", path, errno, target.folder.get());
  write_all(fd.get(), bytes, path);
}

void LinuxSystem::flush(const std::string& path) {
  const Place target = existing_place("cannot sync", path);
  const Fd folder = open_folder(target.folder, path);
  if (::syncfs(folder.get()) != 0) throw_system_error("cannot sync", path, errno, folder.get());
}

bool LinuxSystem::hard_link(const std::string& from, const std::string& path) {
  const Place source = existing_place("cannot link", from);
  const Place target = existing_place("cannot link", path);
  Temporary temporary(target);
  if (::linkat(source.folder.get(), source.name.c_str(), target.folder.get(), temporary.name(), 0) != 0) {
    if (errno == EXDEV || errno == EPERM || errno == EMLINK || errno == EOPNOTSUPP) return false;
    throw_system_error("cannot link", path, errno, target.folder.get());
  }
  temporary.rename_to(target, path);
  return true;
}

void LinuxSystem::make_directory(const std::string& path, const FileMeta& meta) {
  const Place target = existing_place("cannot make the directory", path);
  if (::mkdirat(target.folder.get(), target.name.c_str(), 0700) != 0) {
    if (errno != EEXIST) throw_system_error("cannot make the directory", path, errno, target.folder.get());
  }
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const Fd fd(::openat(target.folder.get(), target.name.c_str(), flags));
  if (!fd) throw_system_error("cannot make the directory", path, errno, target.folder.get());
  HOLDFAST_FAILPOINT("directory.made");
  set_open_meta(fd.get(), meta, path);
  if (meta.durable) sync_folder(target.folder, path);
}

void LinuxSystem::put_link(const std::string& path, const std::string& target) { make_link(path, target, {}); }

void LinuxSystem::replace_link(const std::string& path, const std::string& target, const Expected& expected) {
  make_link(path, target, expected);
}

void LinuxSystem::make_link(const std::string& path, const std::string& target,
                            const std::optional<Expected>& expected) {
  const Place place_of_link = existing_place("cannot make the link", path);
  Temporary temporary(place_of_link);
  if (::symlinkat(target.c_str(), place_of_link.folder.get(), temporary.name()) != 0) {
    throw_system_error("cannot make the link", path, errno, place_of_link.folder.get());
  }
  HOLDFAST_FAILPOINT("link.made");
  temporary.rename_to(place_of_link, path, expected);
  HOLDFAST_FAILPOINT("link.renamed");
  sync_folder(place_of_link.folder, path);
}

void LinuxSystem::set_meta(const std::string& path, const FileMeta& meta) {
  set_owner(path, meta.uid, meta.gid);
  HOLDFAST_FAILPOINT("meta.owned");
  const Place target = existing_place("cannot set the mode of", path);
  const Fd fd(::openat(target.folder.get(), target.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) throw_system_error("cannot look at", path, errno, target.folder.get());
  if (S_ISLNK(status.st_mode)) throw Error("cannot set the mode of \"" + path + "\": it is a symbolic link");
  // fchmod refuses a descriptor that was opened without rights to the content; the path through /proc does not.
  const std::string proc = "/proc/self/fd/" + std::to_string(fd.get());
  if (::chmod(proc.c_str(), meta.mode) != 0) throw_system_error("cannot set the mode of", path, errno, fd.get());
}

void LinuxSystem::set_owner(const std::string& path, std::optional<std::uint32_t> uid,
                            std::optional<std::uint32_t> gid) {
  if (!uid && !gid) return;
  const Place target = existing_place("cannot set the owner of", path);
  const Fd fd(::openat(target.folder.get(), target.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) throw_system_error("cannot look at", path, errno, target.folder.get());
  if (::fchownat(fd.get(), "", uid.value_or(same_owner), gid.value_or(same_owner), AT_EMPTY_PATH) != 0) {
    throw_system_error("cannot set the owner of", path, errno, fd.get());
  }
  if (!S_ISREG(status.st_mode) || (status.st_mode & (S_ISUID | S_ISGID)) == 0) return;
  const std::string proc = "/proc/self/fd/" + std::to_string(fd.get());  // chown takes these bits away
  if (::chmod(proc.c_str(), status.st_mode & 07777U) != 0)
    throw_system_error("cannot set the mode of", path, errno, fd.get());
}

void LinuxSystem::rename(const std::string& from, const std::string& to) {
  const Place source = existing_place("cannot rename", from);
  const Place target = existing_place("cannot rename to", to);
  HOLDFAST_FAILPOINT("rename.begin");
  if (::renameat(source.folder.get(), source.name.c_str(), target.folder.get(), target.name.c_str()) != 0) {
    throw_system_error("cannot rename \"" + from + "\" to", to, errno, source.folder.get());
  }
  HOLDFAST_FAILPOINT("rename.done");
  sync_folder(target.folder, to);
  if (parent_of(from) != parent_of(to)) sync_folder(source.folder, from);
}

void LinuxSystem::reserve(const std::string& path, std::uint64_t bytes) {
  const Place target = existing_place("cannot reserve space by", path);
  const int folder = target.folder.get();
  const Fd fd(::openat(folder, target.name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) throw_system_error("cannot reserve space by", path, errno, folder);
  if (::fallocate(fd.get(), 0, 0, static_cast<off_t>(bytes)) == 0) return;
  const int error = errno;
  const std::uint64_t free = free_bytes(fd.get());
  if (error == EOPNOTSUPP && free >= bytes) return;
  ::unlinkat(folder, target.name.c_str(), 0);
  if (error != ENOSPC && error != EOPNOTSUPP) throw_system_error("cannot reserve space by", path, error, fd.get());
  throw Error("an undo of this change may have to write " + std::to_string(bytes) + " bytes, for which the file system " +
              mounted_on(folder) + "has " + std::to_string(bytes - std::min(free, bytes)) +
              " bytes too few: make room, then retry");
}

void LinuxSystem::shrink(const std::string& path, std::uint64_t bytes) {
  const Place target = place(path);
  if (!target.folder) return;
  const Fd fd(::openat(target.folder.get(), target.name.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (::ftruncate(fd.get(), static_cast<off_t>(size - std::min(size, bytes))) != 0)
    throw_system_error("cannot let go of the space held by", path, errno, fd.get());
}

}  // namespace holdfast
