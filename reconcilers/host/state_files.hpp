#pragma once

#include <reconcilers/host/linux_paths.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

// The runner's own files: real paths (any prefix is part of them), private to root, never touched by anyone else.
// Everything throws Error with path and reason.

/// Makes the folder and its missing parents, 0700.
void make_private_folder(const std::string& path);
/// nullopt where there is no such file; throws Error where it is larger than `max_bytes`.
std::optional<std::string> read_state_file(const std::string& path, std::size_t max_bytes = 64U << 20U);
/// Old bytes or new bytes on the disk, never between; 0600.
void write_state_file(const std::string& path, std::string_view bytes);
/// Everything renamed or created in the folder is on the disk afterwards.
void sync_state_folder(const std::string& path);
/// Absent already is fine.
void remove_state_file(const std::string& path);
void append_all(const Fd& fd, std::string_view bytes, const std::string& path);

/// An advisory lock that ends with this object or with its process, whatever kills it.
class FileLock {
 public:
  /// nullopt where another process still holds it after `patience`.
  static std::optional<FileLock> take(const std::string& path, std::chrono::milliseconds patience);

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace holdfast
