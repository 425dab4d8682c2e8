#pragma once

#include <map>
#include <string>
#include <string_view>

namespace holdfast {

/// The variables of an environment file as EnvFile writes it: NAME="value" lines, `\` before `"`, `\`, `$` and `` ` ``.
/// Throws Error, without the value, for a line of another form.
std::map<std::string, std::string> parse_env(std::string_view text);

}  // namespace holdfast
