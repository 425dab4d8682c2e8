#include <reconcilers/host/state_files.hpp>

#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

namespace holdfast {

namespace {
constexpr mode_t private_file = 0600;
constexpr mode_t private_folder = 0700;
}  // namespace

void make_private_folder(const std::string& path) {
  if (::mkdir(path.c_str(), private_folder) == 0 || errno == EEXIST) return;
  if (errno != ENOENT || path == "/") throw_system_error("cannot make the folder", path, errno, -1);
  const std::string parent = parent_of(path);
  const bool ours = parent.find("/holdfast") != std::string::npos;
  make_private_folder(parent);
  if (!ours) ::chmod(parent.c_str(), 0755);  // /var/lib of an empty root is nothing private
  if (::mkdir(path.c_str(), private_folder) != 0 && errno != EEXIST) {
    throw_system_error("cannot make the folder", path, errno, -1);
  }
}

std::optional<std::string> read_state_file(const std::string& path, std::size_t max_bytes) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw_system_error("cannot read", path, errno, -1);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw_system_error("cannot read", path, errno, fd.get());
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_bytes) throw Error("cannot read \"" + path + "\": it has " + std::to_string(size) + " bytes");
  std::string bytes(size, '\0');
  std::size_t at = 0;
  while (at < size) {
    const ssize_t count = ::pread(fd.get(), bytes.data() + at, size - at, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_system_error("cannot read", path, errno, fd.get());
    if (count == 0) break;
    at += static_cast<std::size_t>(count);
  }
  bytes.resize(at);
  return bytes;
}

void append_all(const Fd& fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd.get(), bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) throw_system_error("cannot write", path, errno, fd.get());
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void write_state_file(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".new";
  {
    const Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, private_file));
    if (!fd) throw_system_error("cannot write", temporary, errno, -1);
    append_all(fd, bytes, temporary);
    HOLDFAST_FAILPOINT("state.written");
    if (::fsync(fd.get()) != 0) throw_system_error("cannot sync", temporary, errno, fd.get());
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw_system_error("cannot write", path, errno, -1);
  HOLDFAST_FAILPOINT("state.renamed");
  sync_state_folder(parent_of(path));
}

void sync_state_folder(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) throw_system_error("cannot sync the folder", path, errno, -1);
}

void remove_state_file(const std::string& path) {
  HOLDFAST_FAILPOINT("state.remove");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw_system_error("cannot remove", path, errno, -1);
}

std::optional<FileLock> FileLock::take(const std::string& path, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, private_file));
  if (!fd) throw_system_error("cannot lock", path, errno, -1);
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) throw_system_error("cannot lock", path, errno, fd.get());
    if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return FileLock(std::move(fd));
}

}  // namespace holdfast
