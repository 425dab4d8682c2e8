#pragma once

#include <reconcilers/backup/guard.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast {

/// What was written, as a record tells it.
struct Stored {
  std::int64_t raw_bytes = 0;
  std::int64_t stored_bytes = 0;
  std::string digest{};  // of the stored bytes
};

/// A new file of a backup, 0600: compressed and digested while it is written. The only owner of zlib's writing side.
class StoredWriter {
 public:
  /// `compression` is "gzip" or "none". Throws Error, as all of it does, also where the guard says so.
  StoredWriter(const std::string& path, const std::string& compression, const BackupGuard& guard);
  ~StoredWriter();
  StoredWriter(const StoredWriter&) = delete;
  StoredWriter& operator=(const StoredWriter&) = delete;

  void add(std::string_view bytes);
  /// On the disk afterwards, and out of the page cache: what is read back comes from the disk.
  Stored finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

using Sink = std::function<void(std::string_view)>;

/// Every byte of a plain file, in pieces. Never follows a symbolic link.
void read_pieces(const std::string& path, const BackupGuard& guard, const Sink& sink);

/// The file's bytes are on the disk afterwards, and out of the page cache.
void sync_file(const std::string& path);

/// Digest and size of a file as it lies there.
Stored measure(const std::string& path, const BackupGuard& guard);

/// The bytes that were put in. Throws DamagedBackup where they don't decompress, or are not exactly `raw_bytes`.
void read_stored(const std::string& path, const std::string& compression, std::int64_t raw_bytes,
                 const BackupGuard& guard, const Sink& sink);

}  // namespace holdfast
