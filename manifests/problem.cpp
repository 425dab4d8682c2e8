#include <manifests/problem.hpp>

#include <manifests/text.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>

namespace holdfast {

namespace {

constexpr std::size_t shown_width = 100;

std::string escaped(char32_t value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), value <= 0xFF ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(value));
  return text.data();
}

/// One code point (or a stray byte) as it is shown; moves `at` behind it.
std::string shown(const std::string& text, std::size_t& at) {
  const CodePoint point = code_point_at(text, at);
  const std::size_t begin = at;
  at += std::max<std::size_t>(point.bytes, 1);
  if (point.bytes == 0) return escaped(static_cast<unsigned char>(text[begin]));
  if (is_hidden_character(point.value)) return escaped(point.value);
  return text.substr(begin, point.bytes);
}

std::string one_line(const std::string& text) {
  std::string line;
  for (const char letter : printable(text)) line += letter == '\n' ? std::string("\\n") : std::string(1, letter);
  return line;
}

/// The line in cells of one character of the manifest each, so that the caret finds its column.
std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < line.size();) {
    const bool tab = line[at] == '\t';
    const std::string cell = shown(line, at);
    found.push_back(tab ? " " : cell);
  }
  return found;
}

std::string with_caret(const std::string& line, int column) {
  const std::vector<std::string> all = cells(line);
  const std::size_t target = column > 0 ? static_cast<std::size_t>(column) - 1 : 0;
  std::size_t first = target > shown_width / 2 && all.size() > shown_width ? target - shown_width / 2 : 0;
  first = std::min(first, all.size());
  const std::size_t last = std::min(all.size(), first + shown_width);
  std::string text = first > 0 ? "    …" : "    ";
  std::size_t caret = first > 0 ? 5 : 4;
  for (std::size_t index = first; index < last; ++index) {
    text += all[index];
    if (index < target) caret += count_characters(all[index]);
  }
  if (last < all.size()) text += "…";
  return column > 0 ? text + "\n" + std::string(caret, ' ') + "^" : text;
}

}  // namespace

std::string to_text(const Position& position) {
  if (position.line == 0) return position.file;
  return position.file + ":" + std::to_string(position.line) + ":" + std::to_string(position.column);
}

std::string render(const Problem& problem) {
  std::string text = one_line(to_text(problem.where));
  if (!text.empty()) text += ": ";
  text += one_line(problem.what);
  if (!problem.hint.empty()) text += ": " + one_line(problem.hint);
  if (!problem.line_text.empty()) text += "\n" + with_caret(problem.line_text, problem.where.column);
  for (const Position& place : problem.also) text += "\n    see also " + one_line(to_text(place));
  return text;
}

void sort_problems(std::vector<Problem>& problems) {
  const auto key = [](const Problem& problem) { return std::tie(problem.where, problem.what, problem.hint); };
  std::sort(problems.begin(), problems.end(),
            [&](const Problem& left, const Problem& right) { return key(left) < key(right); });
  const auto last = std::unique(problems.begin(), problems.end(),
                                [&](const Problem& left, const Problem& right) { return key(left) == key(right); });
  problems.erase(last, problems.end());
}

std::string printable(const std::string& text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) result += shown(text, at);
  return result;
}

}  // namespace holdfast
