#include <reconcilers/kinds/env_quoting.hpp>

#include <manifests/text.hpp>

#include <cstddef>

namespace holdfast {

namespace {

// execve refuses a single variable of 128 KiB; the name and a safe distance are left to it.
constexpr std::size_t longest_value = 100'000;

bool is_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
}

// systemd drops a whole file for one of these; Unicode sets them aside for a program's inner use.
bool is_noncharacter(char32_t value) { return (value >= 0xFDD0 && value <= 0xFDEF) || (value & 0xFFFE) == 0xFFFE; }

bool is_control(char32_t value) { return (value < 0x20 && value != '\t') || value == 0x7F; }

}  // namespace

bool is_variable_name(std::string_view name) {
  if (name.empty() || name.size() > 255 || !is_letter(name.front())) return false;
  for (const char letter : name) {
    if (!is_letter(letter) && (letter < '0' || letter > '9')) return false;
  }
  return true;
}

std::string value_fault(std::string_view value) {
  if (value.size() > longest_value) {
    return "has " + std::to_string(value.size()) + " bytes, more than the 100000 that a program can be given";
  }
  for (std::size_t at = 0; at < value.size();) {
    const CodePoint point = code_point_at(value, at);
    if (point.bytes == 0) return "is not UTF-8 at byte " + std::to_string(at);
    if (point.value == '\n') return "holds a line end";
    if (is_control(point.value) || is_noncharacter(point.value)) return "holds " + describe_character(point.value);
    at += point.bytes;
  }
  return {};
}

// Inside double quotes a backslash makes exactly these four plain, for both readers (systemd: SHELL_NEED_ESCAPE in
// env-file.c; POSIX 2.2.3). Single quotes would not do: old versions of systemd take a backslash in them as an escape.
std::string quote_value(std::string_view value) {
  std::string quoted = "\"";
  for (const char letter : value) {
    if (letter == '"' || letter == '\\' || letter == '$' || letter == '`') quoted += '\\';
    quoted += letter;
  }
  return quoted + "\"";
}

}  // namespace holdfast
