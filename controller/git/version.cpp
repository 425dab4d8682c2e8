#include <controller/git/version.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::string_view identifier_characters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";

bool is_digit(char c) { return digits.find(c) != std::string_view::npos; }
bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of(digits) == std::string_view::npos;
}
bool has_leading_zero(std::string_view text) { return text.size() > 1 && text.front() == '0'; }
bool is_identifier(std::string_view text) {
  return !text.empty() && text.find_first_not_of(identifier_characters) == std::string_view::npos;
}

std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t dot = text.find('.', begin);
    parts.emplace_back(text.substr(begin, dot - begin));
    if (dot == std::string_view::npos) return parts;
    begin = dot + 1;
  }
}

std::optional<Version> parse(std::string_view text) {
  const std::size_t plus = text.find('+');
  if (plus != std::string_view::npos && !std::ranges::all_of(parts_of(text.substr(plus + 1)), is_identifier)) {
    return std::nullopt;
  }
  text = text.substr(0, plus);
  const std::size_t dash = text.find('-');
  Version version{.core = parts_of(text.substr(0, dash))};
  if (version.core.size() != 3) return std::nullopt;
  for (const std::string& part : version.core) {
    if (!is_number(part) || has_leading_zero(part)) return std::nullopt;
  }
  if (dash == std::string_view::npos) return version;
  version.prerelease = parts_of(text.substr(dash + 1));
  for (const std::string& part : version.prerelease) {
    if (!is_identifier(part) || (is_number(part) && has_leading_zero(part))) return std::nullopt;
  }
  return version;
}

/// Numbers without leading zeros, however long.
std::strong_ordering compare_numbers(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() <=> b.size() : a.compare(b) <=> 0;
}

std::strong_ordering compare_identifiers(const std::string& a, const std::string& b) {
  const bool number = is_number(a);
  if (number != is_number(b)) return number ? std::strong_ordering::less : std::strong_ordering::greater;
  return number ? compare_numbers(a, b) : a.compare(b) <=> 0;
}

}  // namespace

std::optional<Version> version_in(std::string_view name) {
  for (std::size_t at = 0; at < name.size(); ++at) {
    const bool begins = is_digit(name[at]) && (at == 0 || (!is_digit(name[at - 1]) && name[at - 1] != '.'));
    if (!begins) continue;
    if (auto found = parse(name.substr(at))) return found;
  }
  return std::nullopt;
}

std::strong_ordering compare(const Version& a, const Version& b) {
  for (std::size_t i = 0; i < a.core.size(); ++i) {
    const auto order = compare_numbers(a.core[i], b.core[i]);
    if (order != 0) return order;
  }
  if (a.prerelease.empty() || b.prerelease.empty()) return a.prerelease.empty() <=> b.prerelease.empty();
  const std::size_t common = std::min(a.prerelease.size(), b.prerelease.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto order = compare_identifiers(a.prerelease[i], b.prerelease[i]);
    if (order != 0) return order;
  }
  return a.prerelease.size() <=> b.prerelease.size();
}

}  // namespace holdfast
