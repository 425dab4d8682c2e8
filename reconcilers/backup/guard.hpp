#pragma once

#include <reconcilers/host/linux_paths.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace holdfast {

struct Space {
  std::int64_t total = 0;
  std::int64_t free = 0;  // for us, not what the file system keeps for root
};
/// "1.5 GiB", for messages.
std::string stored_size_text(std::int64_t bytes);

/// What ends a backup that is at work: its deadline, a signal, or a disk that becomes too full. The folder must exist.
class BackupGuard {
 public:
  BackupGuard(std::string folder, std::int64_t free_percent, std::int64_t free_bytes,
              std::chrono::milliseconds timeout);

  /// Throws Error where it must end. Cheap: called for every piece that is read or written.
  void check() const;
  /// Throws Error where `bytes` more would leave less than has to stay free.
  void expect_room_for(std::int64_t bytes) const;
  /// How long is left.
  [[nodiscard]] std::chrono::milliseconds left() const;

 private:
  [[nodiscard]] Space space() const;
  [[nodiscard]] std::int64_t to_stay_free(const Space& space) const;

  std::string folder_;
  Fd open_;  // asked even while we act as somebody who may not enter the folder
  std::int64_t free_percent_;
  std::int64_t free_bytes_;
  std::chrono::milliseconds timeout_;
  std::chrono::steady_clock::time_point deadline_;
};

/// From now on SIGTERM, SIGINT and SIGHUP end a backup through its guard, which cleans up, instead of the process.
void end_backups_on_signals();

}  // namespace holdfast
