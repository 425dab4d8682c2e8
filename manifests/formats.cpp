#include <manifests/formats.hpp>

#include <manifests/error.hpp>
#include <manifests/text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace holdfast {

namespace {

constexpr std::size_t longest_path = 4095;
constexpr std::size_t longest_segment = 255;
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view digits = "0123456789";

bool only(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

const std::string& name_characters() {
  static const std::string characters = std::string(letters) + std::string(digits);
  return characters;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  static const std::map<std::string_view, std::int64_t> units = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  const std::size_t end = std::min(text.find_first_not_of(digits), text.size());
  const auto unit = units.find(text.substr(end));
  if (end == 0 || end > 12 || unit == units.end()) return std::nullopt;
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + end, count);
  return count * unit->second;
}

std::optional<int> parse_mode(std::string_view text) {
  if (text.size() < 3 || text.size() > 4 || !only(text, "01234567")) return std::nullopt;
  int mode = 0;
  std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  return mode;
}

bool good_segments(std::string_view path) {
  if (path.size() > longest_path) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment.empty() || segment == "." || segment == ".." || segment.size() > longest_segment) return false;
    begin = end + 1;
  }
  for (std::size_t at = 0; at < path.size();) {
    const CodePoint point = code_point_at(path, at);
    if (point.bytes == 0 || point.value < 0x20 || is_hidden_character(point.value)) return false;
    at += point.bytes;
  }
  return true;
}

std::string without_doubles(std::string_view path) {
  std::string result;
  for (const char letter : path) {
    if (letter != '/' || !result.ends_with('/')) result += letter;
  }
  while (result.size() > 1 && result.ends_with('/')) result.pop_back();
  return result;
}

std::string seconds_text(std::int64_t ms) {
  static constexpr std::array<std::pair<std::int64_t, const char*>, 4> units = {
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}}};
  for (const auto& [size, name] : units) {
    if (ms >= size && ms % size == 0) return std::to_string(ms / size) + name;
  }
  return std::to_string(ms) + "ms";
}

std::string not_this(const std::string& text) { return ", not \"" + text + "\""; }

std::optional<FormatFault> duration_fault(const Value& schema, const std::string& text) {
  const auto found = parse_duration(text);
  if (!found)
    return FormatFault{"must be a duration such as \"30s\", \"5m\", \"2h\" or \"500ms\"" + not_this(text), ""};
  // A bound exists even where a schema names none: a deadline of years is no deadline.
  const Value* least = schema.find("x-min");
  const Value* most = schema.find("x-max");
  const auto lower = static_cast<std::int64_t>((least == nullptr ? 0.001 : least->as_real()) * 1000);
  const auto upper = static_cast<std::int64_t>((most == nullptr ? 31.0 * 86'400 : most->as_real()) * 1000);
  if (*found >= lower && *found <= upper) return std::nullopt;
  return FormatFault{"must be between " + seconds_text(lower) + " and " + seconds_text(upper) + not_this(text), ""};
}

std::optional<FormatFault> mode_fault(const Value& schema, const std::string& text) {
  const auto mode = parse_mode(text);
  if (!mode) return FormatFault{"must be a quoted octal mode such as \"0644\"" + not_this(text), ""};
  if (schema.bool_or("x-allow-special", false)) return std::nullopt;
  if ((*mode & 07000) != 0) return FormatFault{"must not set the setuid, setgid or sticky bit" + not_this(text), ""};
  if ((*mode & 0002) != 0)
    return FormatFault{"must not let everyone write" + not_this(text), "take the last digit's 2 away"};
  return std::nullopt;
}

std::optional<FormatFault> path_fault(const Value& /*schema*/, const std::string& text) {
  if (is_absolute_path(text)) return std::nullopt;
  const std::string better = without_doubles(text);
  const std::string hint = is_absolute_path(better) ? "write \"" + better + "\"" : "";
  return FormatFault{"must be an absolute path without \"..\", \".\", \"//\" and a slash at its end" + not_this(text),
                     hint};
}

std::optional<FormatFault> relative_path_fault(const Value& /*schema*/, const std::string& text) {
  if (is_relative_path(text)) return std::nullopt;
  return FormatFault{"must be a relative path that stays in its folder" + not_this(text),
                     "no \"..\", \".\", \"//\" and no slash at its beginning or end"};
}

std::optional<FormatFault> reference_fault(const Value& /*schema*/, const std::string& text) {
  const std::size_t slash = text.find('/');
  const bool good = slash != std::string::npos && slash > 0 && only(std::string_view(text).substr(0, slash), letters) &&
                    is_resource_name(std::string_view(text).substr(slash + 1));
  if (good) return std::nullopt;
  return FormatFault{"must be a reference such as \"EnvFile/app\"" + not_this(text), "write Kind/name"};
}

template <bool (*right)(std::string_view)>
std::optional<FormatFault> fault_unless(const std::string& expected, const std::string& text) {
  if (right(text)) return std::nullopt;
  return FormatFault{"must be " + expected + not_this(text), ""};
}

}  // namespace

std::int64_t duration_ms(std::string_view text) {
  if (const auto found = parse_duration(text)) return *found;
  throw Error("expected a duration such as \"30s\", found \"" + std::string(text) + "\"");
}

int octal_mode(std::string_view text) {
  if (const auto found = parse_mode(text)) return *found;
  throw Error("expected an octal mode such as \"0644\", found \"" + std::string(text) + "\"");
}

bool is_absolute_path(std::string_view text) {
  return text == "/" || (text.starts_with('/') && good_segments(text.substr(1)));
}

bool is_relative_path(std::string_view text) { return !text.starts_with('/') && good_segments(text); }

bool is_unit_name(std::string_view text) {
  static const std::array<std::string_view, 11> types = {".service", ".timer", ".socket",    ".target",
                                                         ".path",    ".mount", ".automount", ".swap",
                                                         ".slice",   ".scope", ".device"};
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || text.size() > longest_segment || text.starts_with('-')) return false;
  const bool known = std::find(types.begin(), types.end(), text.substr(dot)) != types.end();
  return known && only(text, name_characters() + ":-_.\\@");
}

bool is_account_name(std::string_view text) {
  if (text.empty() || text.size() > 32 || !only(text, "abcdefghijklmnopqrstuvwxyz0123456789_-")) return false;
  return text.front() != '-' && !only(text.substr(0, 1), digits);
}

bool is_package_name(std::string_view text) {
  const std::string lower = "abcdefghijklmnopqrstuvwxyz0123456789";
  const std::string_view name = text.substr(0, text.find(':'));
  const std::string_view architecture = name.size() == text.size() ? "any" : text.substr(name.size() + 1);
  if (name.size() < 2 || text.size() > longest_segment || !only(name.substr(0, 1), lower)) return false;
  return only(name, lower + "+.-") && !architecture.empty() && only(architecture, lower + "-") &&
         !architecture.starts_with('-');
}

bool is_resource_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  return only(text, name_characters() + "_.-@:+\\") && only(text.substr(0, 1), name_characters() + "_");
}

std::optional<FormatFault> format_fault(const Value& schema, const std::string& text) {
  const std::string format = schema.text_or("format", "");
  if (format == "duration") return duration_fault(schema, text);
  if (format == "mode") return mode_fault(schema, text);
  if (format == "path") return path_fault(schema, text);
  if (format == "relative-path") return relative_path_fault(schema, text);
  if (format == "reference") return reference_fault(schema, text);
  if (format == "unit") return fault_unless<is_unit_name>("the full name of a unit such as \"app.service\"", text);
  if (format == "account") return fault_unless<is_account_name>("the name of an account or group", text);
  if (format == "package") return fault_unless<is_package_name>("the name of a Debian package", text);
  if (format == "resource-name") {
    return fault_unless<is_resource_name>("letters (a-z, A-Z), digits and \"_.-@:+\\\", not beginning with a mark",
                                          text);
  }
  return std::nullopt;
}

}  // namespace holdfast
