#include "write_log.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace fs = std::filesystem;

namespace holdfast {

namespace {

using Kind = Operation::Kind;
using Inode = std::pair<dev_t, ino_t>;

struct Recorder {
  bool on = false;
  std::map<Inode, int> numbers{};
  int next = 1;
  WriteLog log{};
};

Recorder& recorder() {
  static Recorder one;
  return one;
}

std::string path_of(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Meta meta_of(const struct stat& status, const std::string& path) {
  Meta meta{.mode = status.st_mode & 07777U, .uid = status.st_uid, .gid = status.st_gid};
  std::array<char, 256> value{};
  const ssize_t size = S_ISREG(status.st_mode) ? ::getxattr(path.c_str(), "user.note", value.data(), value.size()) : -1;
  if (size > 0) meta.note.assign(value.data(), static_cast<std::size_t>(size));
  return meta;
}

/// What stands at `path` (a link is not followed) under a number of its own.
int add_node(const std::string& path, const std::string& readable) {
  Recorder& to = recorder();
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return -1;
  Node node{.meta = meta_of(status, path)};
  if (S_ISDIR(status.st_mode)) node.type = Node::Type::folder;
  if (S_ISLNK(status.st_mode)) node = {.type = Node::Type::link, .content = fs::read_symlink(path).string()};
  if (S_ISREG(status.st_mode)) node.content = bytes_of(readable);
  const int number = to.next++;
  to.numbers[{status.st_dev, status.st_ino}] = number;
  to.log.nodes[number] = node;
  return number;
}

int number_of(const struct stat& status) {
  const auto found = recorder().numbers.find({status.st_dev, status.st_ino});
  return found == recorder().numbers.end() ? -1 : found->second;
}

int number_of(int fd) {
  struct stat status {};
  return recorder().on && ::fstat(fd, &status) == 0 ? number_of(status) : -1;
}

/// The number of what has that name now; -1 for nothing.
int number_at(int folder, const char* name) {
  struct stat status {};
  return ::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? number_of(status) : -1;
}

void scan(const std::string& root, const std::string& below) {
  WriteLog& log = recorder().log;
  const int folder = log.paths.at(below);
  std::map<std::string, int>& names = log.folders[folder];
  for (const auto& entry : fs::directory_iterator(root + below)) {
    const std::string path = entry.path().string();
    const int number = add_node(path, path);
    names[entry.path().filename().string()] = number;
    if (log.nodes.at(number).type != Node::Type::folder) continue;
    const std::string deeper = below + "/" + entry.path().filename().string();
    log.paths[deeper] = number;
    scan(root, deeper);
  }
}

void note(Operation operation) { recorder().log.operations.push_back(std::move(operation)); }

void note_names(int folder, std::vector<std::pair<std::string, int>> names) {
  const int number = number_of(folder);
  if (number > 0) note({.kind = Kind::names, .node = number, .names = std::move(names)});
}

void note_content(int fd) {
  const int number = number_of(fd);
  if (number > 0) note({.kind = Kind::content, .node = number, .content = bytes_of(path_of(fd))});
}

void note_meta(int fd) {
  const int number = number_of(fd);
  struct stat status {};
  if (number > 0 && ::fstat(fd, &status) == 0)
    note({.kind = Kind::meta, .node = number, .meta = meta_of(status, path_of(fd))});
}

/// A folder and a name of it, of a path or of openat's two.
struct Named {
  Named(int at, const char* path) {
    const std::string text(path);
    const std::size_t slash = text.rfind('/');
    name = slash == std::string::npos ? text : text.substr(slash + 1);
    const std::string parent = slash == std::string::npos ? "." : text.substr(0, slash);
    fd = slash == std::string::npos && at != AT_FDCWD ? ::dup(at) : ::open(parent.c_str(), O_PATH | O_DIRECTORY);
  }
  ~Named() { ::close(fd); }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;
  [[nodiscard]] int number() const { return number_at(fd, name.c_str()); }
  [[nodiscard]] bool is_logged() const { return number_of(fd) > 0; }
  void made() const {
    if (!is_logged()) return;
    const std::string path = path_of(fd) + "/" + name;
    const int node = add_node(path, path);
    if (recorder().log.nodes.at(node).type == Node::Type::folder) recorder().log.folders[node];
    note_names(fd, {{name, node}});
  }
  void gone() const { note_names(fd, {{name, -1}}); }

  int fd = -1;
  std::string name{};
};

void note_rename(const Named& from, const Named& to, int moved, int other) {
  if (number_of(from.fd) == number_of(to.fd)) return note_names(from.fd, {{from.name, other}, {to.name, moved}});
  note_names(to.fd, {{to.name, moved}});
  note_names(from.fd, {{from.name, other}});
}

}  // namespace

void begin_log(const std::string& root) {
  recorder() = Recorder{};
  recorder().log.paths[""] = add_node(root, root);
  scan(root, "");
  recorder().on = true;
}

WriteLog end_log() {
  recorder().on = false;
  return std::move(recorder().log);
}

void resume_log(WriteLog log) {
  recorder().log = std::move(log);
  recorder().on = true;
}

}  // namespace holdfast

using namespace holdfast;

extern "C" {

// NOLINTBEGIN: the linker's names
int __real_openat(int at, const char* path, int flags, ...);
ssize_t __real_write(int fd, const void* bytes, size_t size);
int __real_fsync(int fd);
int __real_syncfs(int fd);
int __real_renameat(int at, const char* from, int to_at, const char* to);
int __real_renameat2(int at, const char* from, int to_at, const char* to, unsigned flags);
int __real_unlinkat(int at, const char* path, int flags);
int __real_fchmod(int fd, mode_t mode);
int __real_fchown(int fd, uid_t uid, gid_t gid);
int __real_fchownat(int at, const char* path, uid_t uid, gid_t gid, int flags);
int __real_chmod(const char* path, mode_t mode);
int __real_fsetxattr(int fd, const char* name, const void* value, size_t size, int flags);
int __real_linkat(int at, const char* from, int to_at, const char* to, int flags);
int __real_symlinkat(const char* target, int at, const char* path);
int __real_mkdirat(int at, const char* path, mode_t mode);
ssize_t __real_copy_file_range(int in, off64_t* from, int out, off64_t* to, size_t size, unsigned flags);
int __real_ioctl(int fd, unsigned long request, ...);
int __real_ftruncate(int fd, off_t size);

int __wrap_openat(int at, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (!recorder().on || (flags & O_CREAT) == 0) return __real_openat(at, path, flags, mode);
  const Named named(at, path);
  struct stat status {};
  const bool was_there = ::fstatat(named.fd, named.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  const int fd = __real_openat(at, path, flags, mode);
  if (fd >= 0 && !was_there) named.made();
  if (fd >= 0 && was_there && (flags & O_TRUNC) != 0) note_content(fd);
  return fd;
}

int __wrap_open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return (flags & O_CREAT) != 0 ? __wrap_openat(AT_FDCWD, path, flags, mode) : __real_openat(AT_FDCWD, path, flags);
}

ssize_t __wrap_write(int fd, const void* bytes, size_t size) {
  const ssize_t done = __real_write(fd, bytes, size);
  if (done > 0) note_content(fd);
  return done;
}

int __wrap_fsync(int fd) {
  const int result = __real_fsync(fd);
  const int number = number_of(fd);
  if (result == 0 && number > 0) note({.kind = Kind::sync, .node = number});
  return result;
}

int __wrap_syncfs(int fd) {
  const int result = __real_syncfs(fd);
  if (result == 0 && number_of(fd) > 0) note({.kind = Kind::sync_all});
  return result;
}

int __wrap_renameat2(int at, const char* from, int to_at, const char* to, unsigned flags) {
  if (!recorder().on) return __real_renameat2(at, from, to_at, to, flags);
  const Named source(at, from);
  const Named target(to_at, to);
  const int moved = source.number();
  const int other = (flags & RENAME_EXCHANGE) != 0 ? target.number() : -1;
  const int result = __real_renameat2(at, from, to_at, to, flags);
  if (result == 0) note_rename(source, target, moved, other);
  return result;
}

int __wrap_renameat(int at, const char* from, int to_at, const char* to) {
  return __wrap_renameat2(at, from, to_at, to, 0);
}

int __wrap_rename(const char* from, const char* to) { return __wrap_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int __wrap_unlinkat(int at, const char* path, int flags) {
  if (!recorder().on) return __real_unlinkat(at, path, flags);
  const Named named(at, path);
  const int result = __real_unlinkat(at, path, flags);
  if (result == 0) named.gone();
  return result;
}

int __wrap_unlink(const char* path) { return __wrap_unlinkat(AT_FDCWD, path, 0); }

int __wrap_fchmod(int fd, mode_t mode) {
  const int result = __real_fchmod(fd, mode);
  if (result == 0) note_meta(fd);
  return result;
}

int __wrap_chmod(const char* path, mode_t mode) {
  const int result = __real_chmod(path, mode);
  const std::string text(path);
  if (result == 0 && text.starts_with("/proc/self/fd/")) note_meta(std::stoi(text.substr(14)));
  return result;
}

int __wrap_fchown(int fd, uid_t uid, gid_t gid) {
  const int result = __real_fchown(fd, uid, gid);
  if (result == 0) note_meta(fd);
  return result;
}

int __wrap_fchownat(int at, const char* path, uid_t uid, gid_t gid, int flags) {
  const int result = __real_fchownat(at, path, uid, gid, flags);
  if (result == 0 && *path == '\0') note_meta(at);
  return result;
}

int __wrap_fsetxattr(int fd, const char* name, const void* value, size_t size, int flags) {
  const int result = __real_fsetxattr(fd, name, value, size, flags);
  if (result == 0) note_meta(fd);
  return result;
}

int __wrap_linkat(int at, const char* from, int to_at, const char* to, int flags) {
  if (!recorder().on) return __real_linkat(at, from, to_at, to, flags);
  const Named source(at, from);
  const Named target(to_at, to);
  const int result = __real_linkat(at, from, to_at, to, flags);
  if (result == 0) note_names(target.fd, {{target.name, source.number()}});
  return result;
}

int __wrap_symlinkat(const char* target, int at, const char* path) {
  const int result = __real_symlinkat(target, at, path);
  if (recorder().on && result == 0) Named(at, path).made();
  return result;
}

int __wrap_mkdirat(int at, const char* path, mode_t mode) {
  const int result = __real_mkdirat(at, path, mode);
  if (recorder().on && result == 0) Named(at, path).made();
  return result;
}

ssize_t __wrap_copy_file_range(int in, off64_t* from, int out, off64_t* to, size_t size, unsigned flags) {
  const ssize_t done = __real_copy_file_range(in, from, out, to, size, flags);
  if (done > 0) note_content(out);
  return done;
}

int __wrap_ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  const int result = __real_ioctl(fd, request, argument);
  if (result == 0 && request == FICLONE) note_content(fd);
  return result;
}

int __wrap_ftruncate(int fd, off_t size) {
  const int result = __real_ftruncate(fd, size);
  if (result == 0) note_content(fd);
  return result;
}
// NOLINTEND
}
