#include <controller/cli/markdown.hpp>

#include <algorithm>

namespace holdfast {

namespace {

std::size_t longest_run(const std::string& text, char wanted) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == wanted ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

bool is_harmless(char c) { return c == '/' || c == '.' || c == '-' || c == ',' || c == '+'; }

}  // namespace

std::string html_code(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (is_punctuation(c) && !is_harmless(c)) {
      safe += "&#" + std::to_string(static_cast<int>(c)) + ";";
    } else {
      safe += c;
    }
  }
  return "<code>" + safe + "</code>";
}

std::string markdown_code(const std::string& text) {
  if (text.empty()) return "";
  // In a table a bar ends the cell even inside a code span, and a backslash before its escape would undo that.
  if (text.find_first_of("|\\") != std::string::npos) return html_code(text);
  const std::string fence(longest_run(text, '`') + 1, '`');
  return fence.size() > 1 ? fence + " " + text + " " + fence : fence + text + fence;
}

std::string markdown_fence(const std::string& language, const std::string& lines) {
  const std::string fence(std::max<std::size_t>(3, longest_run(lines, '`') + 1), '`');
  const bool ended = !lines.empty() && lines.back() == '\n';
  return fence + language + "\n" + lines + (ended ? "" : "\n") + fence + "\n";
}

}  // namespace holdfast
