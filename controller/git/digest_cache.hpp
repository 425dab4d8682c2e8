#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

namespace holdfast {

/// SHA-256 by git blob id, remembered in memory and in one append-only file beside the objects: a blob is hashed once
/// per mirror, not once per commit. Both names are of the content, so an entry never gets old; a line that can't be
/// read is passed over, and a file that can't be written only costs time.
class DigestCache {
 public:
  explicit DigestCache(std::string path);
  [[nodiscard]] std::optional<std::string> find(const std::string& blob) const;
  void add(const std::string& blob, const std::string& digest);
  /// Writes what was added since the last call.
  void save();

 private:
  std::string path_;
  std::map<std::string, std::string> digests_;
  std::string unsaved_;
};

}  // namespace holdfast
