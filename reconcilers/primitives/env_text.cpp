#include <reconcilers/primitives/env_text.hpp>

#include <manifests/error.hpp>

#include <algorithm>

namespace holdfast {

namespace {

[[noreturn]] void refuse(std::size_t number) {
  throw Error("line " + std::to_string(number) + " of the environment file is not of the form NAME=\"value\"");
}

std::string unquoted(std::string_view quoted, std::size_t number) {
  std::string value;
  std::size_t at = 1;
  for (; at < quoted.size() && quoted[at] != '"'; ++at) {
    const bool escaped = quoted[at] == '\\' && at + 1 < quoted.size();
    value += quoted[at + (escaped ? 1 : 0)];
    at += escaped ? 1 : 0;
  }
  if (quoted.empty() || quoted.front() != '"' || at + 1 != quoted.size()) refuse(number);
  return value;
}

}  // namespace

std::map<std::string, std::string> parse_env(std::string_view text) {
  std::map<std::string, std::string> variables;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.empty()) continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) refuse(number);
    variables[std::string(line.substr(0, equals))] = unquoted(line.substr(equals + 1), number);
  }
  return variables;
}

}  // namespace holdfast
