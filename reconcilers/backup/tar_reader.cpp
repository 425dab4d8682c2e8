#include <reconcilers/backup/tar_reader.hpp>

#include <reconcilers/backup/record.hpp>

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

constexpr std::size_t block = 512;
constexpr std::size_t size_at = 124;
constexpr std::size_t size_length = 12;
constexpr std::size_t checksum_at = 148;
constexpr std::size_t checksum_length = 8;
constexpr std::size_t type_at = 156;
constexpr int zero_blocks_at_the_end = 2;
constexpr std::size_t most_attribute_bytes = 1U << 20U;

[[noreturn]] void damaged(const std::string& what) { throw DamagedBackup("the archive is damaged: " + what); }

/// Octal text, or GNU's binary form for large ones.
std::uint64_t number(std::string_view field) {
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(field.front()) & 0x80U) != 0) {
    for (const char c : field.substr(1)) value = (value << 8U) | static_cast<unsigned char>(c);
    return value;
  }
  for (const char c : field) {
    if (c == '\0' || c == ' ') {
      if (value != 0) break;
      continue;
    }
    if (c < '0' || c > '7') damaged("a number in a header is none");
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::uint64_t checksum(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool own = i >= checksum_at && i < checksum_at + checksum_length;
    sum += own ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return sum;
}

/// Long names and pax attributes precede the entry that they are of; links, folders and devices have no content.
bool is_attribute(char type) { return type == 'x' || type == 'g' || type == 'L' || type == 'K'; }
bool has_no_content(char type) { return type >= '1' && type <= '6'; }

}  // namespace

void TarReader::take_header() {
  if (header_.find_first_not_of('\0') == std::string::npos) {
    ++zero_blocks_;
    return;
  }
  if (zero_blocks_ > 0) damaged("something follows its end");
  const std::string_view header = header_;
  if (number(header.substr(checksum_at, checksum_length)) != checksum(header)) damaged("a header's checksum is wrong");
  const char type = header[type_at];
  std::uint64_t size = has_no_content(type) ? 0 : number(header.substr(size_at, size_length));
  if (has_next_size_ && !is_attribute(type)) {
    size = next_size_;  // what does not fit into the header stands before it
    has_next_size_ = false;
  }
  is_pax_ = type == 'x';
  attributes_.clear();
  if (size > (1ULL << 62U)) damaged("an entry is too large");
  skip_ = (size + block - 1) / block * block;
  if (!is_attribute(type)) ++entries_;
}

/// "20 size=8589934592\n" among the attributes of a large entry.
void TarReader::take_content(std::string_view bytes) {
  if (is_pax_ && attributes_.size() < most_attribute_bytes) attributes_.append(bytes);
  if (skip_ > 0 || !is_pax_) return;
  const std::size_t at = attributes_.find(" size=");
  if (at == std::string::npos) return;
  next_size_ = 0;
  has_next_size_ = true;
  for (std::size_t i = at + 6; i < attributes_.size() && attributes_[i] >= '0' && attributes_[i] <= '9'; ++i) {
    next_size_ = next_size_ * 10 + static_cast<std::uint64_t>(attributes_[i] - '0');
  }
}

void TarReader::add(std::string_view bytes) {
  while (!bytes.empty()) {
    if (skip_ > 0) {
      const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
      skip_ -= count;
      take_content(bytes.substr(0, count));
      bytes.remove_prefix(count);
      continue;
    }
    const std::size_t count = std::min(block - header_.size(), bytes.size());
    header_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    if (header_.size() < block) return;
    take_header();
    header_.clear();
  }
}

std::int64_t TarReader::finish() const {
  if (skip_ > 0 || !header_.empty() || zero_blocks_ < zero_blocks_at_the_end) damaged("it ends in the middle");
  return entries_;
}

}  // namespace holdfast
