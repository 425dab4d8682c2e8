#include <reconcilers/backup/guard.hpp>

#include <manifests/error.hpp>

#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace holdfast {

namespace {

volatile std::sig_atomic_t told_to_end = 0;

extern "C" void note_signal(int /*signal*/) { told_to_end = 1; }

}  // namespace

std::string stored_size_text(std::int64_t bytes) {
  static constexpr std::array<const char*, 5> units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " bytes";
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, units[unit]);
  return text.data();
}

BackupGuard::BackupGuard(std::string folder, std::int64_t free_percent, std::int64_t free_bytes,
                         std::chrono::milliseconds timeout)
    : folder_(std::move(folder)),
      free_percent_(free_percent),
      free_bytes_(free_bytes),
      timeout_(timeout),
      deadline_(std::chrono::steady_clock::now() + timeout) {
  open_ = Fd(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open_) throw_system_error("cannot open", folder_, errno, -1);
}

Space BackupGuard::space() const {
  struct statvfs status {};
  if (::fstatvfs(open_.get(), &status) != 0) throw_system_error("cannot tell the free space of", folder_, errno, -1);
  const auto block = static_cast<std::int64_t>(status.f_frsize);
  return {.total = static_cast<std::int64_t>(status.f_blocks) * block,
          .free = static_cast<std::int64_t>(status.f_bavail) * block};
}

std::int64_t BackupGuard::to_stay_free(const Space& space) const {
  return free_percent_ > 0 ? space.total / 100 * free_percent_ : free_bytes_;
}

void BackupGuard::check() const {
  if (told_to_end != 0) throw Error("it was told to end before it was done");
  if (std::chrono::steady_clock::now() >= deadline_) {
    throw Error("it was not done within its timeout of " + std::to_string(timeout_.count() / 1000) + " s");
  }
  const Space now = space();
  if (now.free >= to_stay_free(now)) return;
  throw Error("the disk of \"" + folder_ + "\" has only " + stored_size_text(now.free) + " left, and " +
              stored_size_text(to_stay_free(now)) + " must stay free: make room, or change \"freeSpace\"");
}

void BackupGuard::expect_room_for(std::int64_t bytes) const {
  const Space now = space();
  if (now.free - bytes >= to_stay_free(now)) return;
  throw Error("expected " + stored_size_text(bytes) + " for the backup and " + stored_size_text(to_stay_free(now)) +
              " that must stay free on the disk of \"" + folder_ + "\", found " + stored_size_text(now.free) +
              " free: make room, or change \"freeSpace\"");
}

std::chrono::milliseconds BackupGuard::left() const {
  const auto left = deadline_ - std::chrono::steady_clock::now();
  return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), std::chrono::milliseconds(1));
}

void end_backups_on_signals() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) std::signal(signal, note_signal);
}

}  // namespace holdfast
