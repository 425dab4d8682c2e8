#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

/// Walks a tar archive (ustar, pax, GNU) that comes in pieces and judges its form: the checksum of every header, the
/// length of every entry, and the end. Keeps no more of it than one header.
class TarReader {
 public:
  /// Throws DamagedBackup where it is damaged.
  void add(std::string_view bytes);
  /// Throws DamagedBackup where the archive is not at its end. Gives the number of entries.
  [[nodiscard]] std::int64_t finish() const;

 private:
  void take_header();
  void take_content(std::string_view bytes);

  std::string header_{};
  bool is_pax_ = false;       // the content is attributes of the next entry
  std::string attributes_{};  // of it, as far as they came
  std::uint64_t next_size_ = 0;
  bool has_next_size_ = false;
  std::uint64_t skip_ = 0;  // bytes of content until the next header
  int zero_blocks_ = 0;
  std::int64_t entries_ = 0;
};

}  // namespace holdfast
