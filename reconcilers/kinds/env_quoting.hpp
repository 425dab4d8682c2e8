#pragma once

#include <string>
#include <string_view>

namespace holdfast {

/// Letters, digits and `_`, not beginning with a digit: what both systemd and sh take for a variable's name.
bool is_variable_name(std::string_view name);

/// Why this value can't stand in an environment file that systemd and a shell read alike; empty where it can.
std::string value_fault(std::string_view value);

/// The value in double quotes, as both read it.
std::string quote_value(std::string_view value);

}  // namespace holdfast
