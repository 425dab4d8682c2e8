#include <manifests/text.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <numeric>

namespace holdfast {

namespace {

constexpr std::size_t longest_compared = 100;
constexpr std::string_view lfs_mark = "version https://git-lfs";
constexpr std::size_t most_pointer_bytes = 1024;

char lower(char letter) { return static_cast<char>(std::tolower(static_cast<unsigned char>(letter))); }

/// Optimal string alignment: a swap of two neighbours counts as one step, as it is one slip of the fingers.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> before(right.size() + 1);
  std::vector<std::size_t> last(right.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  std::vector<std::size_t> row(right.size() + 1);
  for (std::size_t i = 1; i <= left.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t change = lower(left[i - 1]) == lower(right[j - 1]) ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      const bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[right.size()];
}

struct Range {
  char32_t first;
  char32_t last;
  const char* what;
};

constexpr std::array hidden_ranges = {
    Range{0x00, 0x08, "control character"},
    Range{0x0B, 0x1F, "control character"},
    Range{0x7F, 0x9F, "control character"},
    Range{0x061C, 0x061C, "mark that changes the direction of text"},
    Range{0x200E, 0x200F, "mark that changes the direction of text"},
    Range{0x2028, 0x2029, "separator that some programs take for a line end"},
    Range{0x202A, 0x202E, "override of the direction of text"},
    Range{0x2066, 0x2069, "override of the direction of text"},
    Range{0xFEFF, 0xFEFF, "byte order mark inside the text"},
    Range{0xFFFE, 0xFFFF, "no character"},
};

const Range* hidden_range(char32_t value) {
  for (const Range& range : hidden_ranges) {
    if (value >= range.first && value <= range.last) return &range;
  }
  return nullptr;
}

}  // namespace

CodePoint code_point_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {};
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[at + index]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() - at < length) return {};
  char32_t value = first & (0xFFU >> (length + 1));
  for (std::size_t index = 1; index < length; ++index) {
    if ((byte(index) & 0xC0U) != 0x80U) return {};
    value = (value << 6U) | (byte(index) & 0x3FU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (overlong || surrogate || value > 0x10FFFF) return {};
  return {value, length};
}

bool is_hidden_character(char32_t value) { return hidden_range(value) != nullptr; }

std::string describe_character(char32_t value) {
  std::array<char, 16> code{};
  std::snprintf(code.data(), code.size(), "U+%04X", static_cast<unsigned>(value));
  const Range* range = hidden_range(value);
  return std::string(range == nullptr ? "character" : range->what) + " " + code.data();
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) at += std::max<std::size_t>(code_point_at(text, at).bytes, 1);
  return count;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > longest_compared) return {};
  std::size_t best = std::max<std::size_t>(word.size() / 3, word.size() > 3 ? 2 : 1) + 1;
  std::string found;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > longest_compared) continue;
    const std::size_t steps = distance(word, candidate);
    if (steps < best && steps < std::max(word.size(), candidate.size())) {
      best = steps;
      found = candidate;
    }
  }
  return found;
}

std::string nearest_hint(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string found = nearest(word, candidates);
  return found.empty() ? "" : "did you mean \"" + found + "\"?";
}

std::string quoted_list(const std::vector<std::string>& words, std::string_view last, std::size_t most) {
  std::string text;
  for (std::size_t index = 0; index < words.size(); ++index) {
    if (index == most) return text + ", …";
    if (index > 0) text += index + 1 == words.size() ? " " + std::string(last) + " " : ", ";
    text += "\"" + words[index] + "\"";
  }
  return text;
}

bool is_lfs_pointer(std::string_view bytes) {
  return bytes.size() <= most_pointer_bytes && bytes.starts_with(lfs_mark);
}

}  // namespace holdfast
