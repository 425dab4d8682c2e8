#pragma once

#include <manifests/value.hpp>
#include <reconcilers/host/linux_paths.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

enum class Durability { synced, buffered };

/// An append-only file of JSON records: length, CRC-32 and payload of each, the first one naming the format's version.
/// What a killed or powerless writer left unfinished at its end is cut off when the file is opened for writing again,
/// and not seen by readers: a record is there whole or not at all.
class Journal {
 public:
  /// Makes the file where it is missing. Throws Error where another version wrote it.
  explicit Journal(std::string path);
  /// On the disk when it returns, if `synced`. A failed sync is an Error, never retried as success.
  void append(const Value& record, Durability durability = Durability::synced);

 private:
  std::string path_;
  Fd fd_;
};

/// Reads on while somebody else appends. A missing file has no records.
class JournalReader {
 public:
  explicit JournalReader(std::string path) : path_(std::move(path)) {}
  /// The next whole record; nullopt where there is none (yet). Throws Error on another version.
  std::optional<Value> next();
  /// Where the record after the last whole one begins.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  bool fill(std::size_t bytes);
  bool whole_record();
  std::optional<Value> next_payload();

  std::string path_;
  Fd fd_;
  std::uint64_t offset_ = 0;
  std::string buffer_;
  bool version_seen_ = false;
};

std::vector<Value> read_journal(const std::string& path);

}  // namespace holdfast
