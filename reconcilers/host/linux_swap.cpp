#include <reconcilers/host/linux_swap.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <thread>

namespace holdfast {

namespace {

constexpr std::chrono::milliseconds writer_patience{1'000};
constexpr std::chrono::milliseconds look_again{5};
constexpr int most_exchanges = 1'000;
constexpr int most_kept = 100;

bool is_absent(int error) { return error == ENOENT || error == ENOTDIR; }
/// The file system, the kernel or a filter does not know how to.
bool is_unknown(int error) { return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP; }

/// A name that stays bound to what it names now: while this lives, its inode's number is nobody else's.
struct Held {
  Fd fd{};
  struct stat status {};
  std::string content{};  // its digest when it was held, where it was asked for
  [[nodiscard]] bool is_there() const { return static_cast<bool>(fd); }
  [[nodiscard]] bool same(const Held& other) const {
    return is_there() && other.is_there() && status.st_dev == other.status.st_dev &&
           status.st_ino == other.status.st_ino;
  }
};

Held hold(int folder, const std::string& name, const std::string& path) {
  Held held;
  held.fd = Fd(::openat(folder, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!held.fd && !is_absent(errno)) throw_system_error("cannot look at", path, errno, folder);
  if (held.fd && ::fstat(held.fd.get(), &held.status) != 0) throw_system_error("cannot look at", path, errno, folder);
  return held;
}

std::string digest_of(int fd, const std::string& path) {
  Sha256 sha;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count == 0) return sha.hex();
    if (count > 0) sha.add({buffer.data(), static_cast<std::size_t>(count)});
    if (count < 0 && errno != EINTR) throw_system_error("cannot read", path, errno, fd);
  }
}

std::string target_of(int folder, const std::string& name) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(folder, name.c_str(), target.data(), target.size());
  return {target.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

Fd open_regular(int folder, const std::string& name) {
  Fd fd(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return Fd();
  return fd;
}

/// Whether somebody has it open for writing: what they have written may not be all that they write. While this has said
/// no, whoever opens it for writing waits until `fd` is closed.
bool is_being_written(int fd) {
  ::fcntl(fd, F_SETSIG, SIGURG);  // ignored by default; SIGIO would end us
  return ::fcntl(fd, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
}

Held hold_content(int folder, const std::string& name, const std::string& path) {
  Held held = hold(folder, name, path);
  if (const Fd fd = open_regular(folder, name)) held.content = digest_of(fd.get(), path);
  return held;
}

/// `name` names what was placed, and nobody has written into it since, or is about to.
bool is_untouched(int folder, const std::string& name, const Held& placed, const std::string& path) {
  if (!hold(folder, name, path).same(placed)) return false;
  const Fd fd = open_regular(folder, name);
  return !fd || (!is_being_written(fd.get()) && digest_of(fd.get(), path) == placed.content);
}

void wait_for_writers(int folder, const std::string& name) {
  const auto end = std::chrono::steady_clock::now() + writer_patience;
  while (std::chrono::steady_clock::now() < end) {
    const Fd fd = open_regular(folder, name);
    if (!fd || !is_being_written(fd.get())) return;
    std::this_thread::sleep_for(look_again);
  }
}

/// What `name` names is what was expected, and `guard` keeps it so.
bool is_expected(int folder, const std::string& name, const Expected& expected, Fd& guard, const std::string& path) {
  if (!expected.target.empty()) return target_of(folder, name) == expected.target;
  guard = open_regular(folder, name);
  struct stat status {};
  if (!guard || ::fstat(guard.get(), &status) != 0 || is_being_written(guard.get())) return false;
  if (expected.mode && (status.st_mode & 07777U) != *expected.mode) return false;
  return digest_of(guard.get(), path) == expected.content;
}

/// What is back in its place has to be there after a crash too: nobody looks for it once the transaction has ended.
void sync_names(const Place& place, const std::string& path) {
  const Fd opened = open_folder(place.folder, path);
  if (::fsync(opened.get()) != 0) throw_system_error("cannot sync the folder of", path, errno, opened.get());
}

[[noreturn]] void throw_changed(const std::string& path) {
  throw ChangedByOthers("someone changed \"" + path +
                        "\" since the plan was made; it is left as it is, plan again");
}

std::string waiting_prefix(const std::string& name) { return temporary_name(name) + "-"; }

std::string waiting_name(const std::string& name, const Held& ours) {
  return waiting_prefix(name) + (ours.is_there() ? std::to_string(ours.status.st_ino) : "0");
}

void rename_in(int folder, const std::string& from, const std::string& to, const std::string& path) {
  if (::renameat(folder, from.c_str(), folder, to.c_str()) != 0)
    throw_system_error("cannot put in place", path, errno, folder);
}

void unlink_in(int folder, const std::string& name, const std::string& path) {
  if (::unlinkat(folder, name.c_str(), 0) != 0 && errno != ENOENT)
    throw_system_error("cannot remove what was at", path, errno, folder);
}

/// Looks, and then renames: all that can be done without an exchange.
void look_and_rename(const Place& place, const std::string& path, const std::string& from, const Expected& expected) {
  const int folder = place.folder.get();
  Fd guard;
  const bool there = hold(folder, place.name, path).is_there();
  const bool fits = expected.present ? is_expected(folder, place.name, expected, guard, path) : !there;
  if (!fits) {
    ::unlinkat(folder, from.c_str(), 0);
    throw_changed(path);
  }
  rename_in(folder, from, place.name, path);
}

/// `waiting` holds what someone made; `ours` was put in its place. Exchanges until what comes out is what went in the
/// time before: then nobody has put or written anything there meanwhile, and the newest of theirs has its name again.
void put_back(const Place& place, const std::string& path, const std::string& waiting, Held ours) {
  const int folder = place.folder.get();
  Held placed = std::move(ours);
  for (int i = 0; i < most_exchanges; ++i) {
    Held going = hold_content(folder, waiting, path);
    if (::renameat2(folder, waiting.c_str(), folder, place.name.c_str(), RENAME_EXCHANGE) != 0) {
      if (!is_absent(errno)) throw_system_error("cannot put back", path, errno, folder);
      if (::renameat2(folder, waiting.c_str(), folder, place.name.c_str(), RENAME_NOREPLACE) == 0) return;
      continue;
    }
    if (is_untouched(folder, waiting, placed, path)) return unlink_in(folder, waiting, path);
    placed = std::move(going);
  }
  throw ChangedByOthers("someone changes \"" + path + "\" all the time; something of theirs is kept beside it as \"" +
                        waiting + "\"");
}

/// What came out was newer than what is in place only if nobody made something new there.
void give_back(const Place& place, const std::string& path, const std::string& waiting) {
  const int folder = place.folder.get();
  if (::renameat2(folder, waiting.c_str(), folder, place.name.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno != EEXIST) throw_system_error("cannot put back", path, errno, folder);
  unlink_in(folder, waiting, path);
}

std::vector<std::string> waiting_names(const Place& place, const std::string& path) {
  std::vector<std::string> names;
  const std::string prefix = waiting_prefix(place.name);
  DIR* folder = ::fdopendir(::fcntl(open_folder(place.folder, path).get(), F_DUPFD_CLOEXEC, 3));
  if (folder == nullptr) throw_system_error("cannot list the folder of", path, errno, place.folder.get());
  while (const dirent* entry = ::readdir(folder)) {
    if (std::string_view(entry->d_name).starts_with(prefix)) names.emplace_back(entry->d_name);
  }
  ::closedir(folder);
  return names;
}

/// Ours, or saved elsewhere.
bool is_known(const Place& place, const std::string& name, const std::vector<std::string>& known,
              const std::string& path) {
  const int folder = place.folder.get();
  const Fd fd = open_regular(folder, name);
  return std::ranges::find(known, fd ? digest_of(fd.get(), path) : target_of(folder, name)) != known.end();
}

std::string keep_beside(const Place& place, const std::string& path, const std::string& waiting) {
  for (int i = 1; i <= most_kept; ++i) {
    const std::string kept = place.name + ".holdfast-kept-" + std::to_string(i);
    const int folder = place.folder.get();
    if (::renameat2(folder, waiting.c_str(), folder, kept.c_str(), RENAME_NOREPLACE) == 0) return kept;
    if (errno != EEXIST) throw_system_error("cannot keep what was at", path, errno, folder);
  }
  return waiting;
}

}  // namespace

void swap_in(const Place& place, const std::string& path, const char* temporary, const Expected& expected) {
  const int folder = place.folder.get();
  const char* name = place.name.c_str();
  if (!expected.present) {
    if (::renameat2(folder, temporary, folder, name, RENAME_NOREPLACE) == 0) return;
    if (errno == EEXIST) throw_changed(path);
    if (!is_unknown(errno)) throw_system_error("cannot put in place", path, errno, folder);
    return look_and_rename(place, path, temporary, expected);
  }
  wait_for_writers(folder, place.name);
  Held ours = hold_content(folder, temporary, path);
  const std::string waiting = waiting_name(place.name, ours);
  rename_in(folder, temporary, waiting, path);
  HOLDFAST_FAILPOINT("swap.waiting");
  if (::renameat2(folder, waiting.c_str(), folder, name, RENAME_EXCHANGE) != 0) {
    const int error = errno;
    if (is_unknown(error)) return look_and_rename(place, path, waiting, expected);
    ::unlinkat(folder, waiting.c_str(), 0);
    if (is_absent(error)) throw_changed(path);
    throw_system_error("cannot put in place", path, error, folder);
  }
  HOLDFAST_FAILPOINT("swap.exchanged");
  Fd guard;
  if (is_expected(folder, waiting, expected, guard, path)) return unlink_in(folder, waiting, path);
  guard = Fd();
  put_back(place, path, waiting, std::move(ours));
  sync_names(place, path);
  throw_changed(path);
}

void take_out(const Place& place, const std::string& path, const Expected& expected) {
  const int folder = place.folder.get();
  wait_for_writers(folder, place.name);
  const std::string waiting = waiting_name(place.name, Held{});
  Fd guard;
  if (::renameat2(folder, place.name.c_str(), folder, waiting.c_str(), RENAME_NOREPLACE) != 0) {
    if (is_absent(errno)) return;
    if (!is_unknown(errno)) throw_system_error("cannot remove", path, errno, folder);
    if (!is_expected(folder, place.name, expected, guard, path)) throw_changed(path);
    return unlink_in(folder, place.name, path);
  }
  HOLDFAST_FAILPOINT("swap.taken");
  if (is_expected(folder, waiting, expected, guard, path)) return unlink_in(folder, waiting, path);
  guard = Fd();
  give_back(place, path, waiting);
  sync_names(place, path);
  throw_changed(path);
}

std::vector<std::string> settle_swap(const Place& place, const std::string& path,
                                     const std::vector<std::string>& known) {
  std::vector<std::string> kept;
  const int folder = place.folder.get();
  unlink_in(folder, temporary_name(place.name), path);
  for (const std::string& waiting : waiting_names(place, path)) {
    const Held held = hold(folder, waiting, path);
    if (waiting_name(place.name, held) == waiting || is_known(place, waiting, known, path)) {
      unlink_in(folder, waiting, path);
      continue;
    }
    Held there = hold_content(folder, place.name, path);
    if (!there.is_there()) {
      rename_in(folder, waiting, place.name, path);
    } else if (is_known(place, place.name, known, path)) {
      put_back(place, path, waiting, std::move(there));
    } else {
      kept.push_back(parent_of(path) + (parent_of(path) == "/" ? "" : "/") + keep_beside(place, path, waiting));
    }
  }
  return kept;
}

}  // namespace holdfast
