#include <controller/health/match.hpp>

#include <manifests/problem.hpp>

#include <re2/re2.h>

namespace holdfast {

namespace {

constexpr std::size_t max_pattern = 1'000;

RE2::Options quiet_options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  return options;
}

// What is searched has lines, and ends in one: "^ok$" shall find it as grep does.
std::string by_lines(const std::string& pattern) { return "(?m)" + pattern; }

/// On one line: runs of white space become one space.
std::string flat(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!space) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

}  // namespace

std::optional<std::string> refuse_pattern(const std::string& pattern) {
  if (pattern.size() > max_pattern) {
    return "pattern of " + std::to_string(pattern.size()) + " characters, at most " + std::to_string(max_pattern) +
           " are taken";
  }
  const RE2 compiled(pattern, quiet_options());
  if (compiled.ok()) return std::nullopt;
  return "pattern \"" + printable(pattern) + "\" is not valid: " + printable(compiled.error());
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t shown = 200;
  if (text.empty()) return "nothing";
  std::size_t end = 0;
  std::size_t characters = 0;
  while (end < text.size() && characters < shown) {
    ++end;
    while (end < text.size() && is_continuation(text[end]) && end < shown * 4) ++end;
    ++characters;
  }
  return "\"" + printable(flat(text.substr(0, end))) + (end < text.size() ? "…\"" : "\"");
}

std::optional<std::string> text_shortfall(const std::string& subject, const Value& expected, std::string_view text) {
  const auto differs = [&](const std::string& verb, const std::string& wanted) {
    return "expected " + subject + " to " + verb + " \"" + printable(wanted) + "\", found " + excerpt(text);
  };
  if (expected.is_text()) {
    if (text != expected.as_text()) return differs("be", expected.as_text());
    return std::nullopt;
  }
  if (const Value* equals = expected.find("equals"); equals != nullptr && text != equals->as_text()) {
    return differs("be", equals->as_text());
  }
  if (const Value* contains = expected.find("contains");
      contains != nullptr && text.find(contains->as_text()) == std::string_view::npos) {
    return differs("contain", contains->as_text());
  }
  if (const Value* matches = expected.find("matches"); matches != nullptr) {
    if (auto refused = refuse_pattern(matches->as_text())) return refused;
    const RE2 pattern(by_lines(matches->as_text()), quiet_options());
    if (!RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern)) {
      return differs("match", matches->as_text());
    }
  }
  return std::nullopt;
}

std::string milliseconds_text(std::int64_t ms) {
  std::string digits = std::to_string(ms);
  for (std::ptrdiff_t place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3) {
    digits.insert(static_cast<std::size_t>(place), ",");
  }
  return digits + " ms";
}

}  // namespace holdfast
