#pragma once

#include <manifests/schema.hpp>
#include <manifests/value.hpp>

#include <set>
#include <string>
#include <vector>

namespace holdfast {

/// `${name}` in the texts of a spec. Only a letter or `_` followed by letters, digits, `_`, `.` and `-` is a name:
/// `$host` and
/// `${1}` stay as they are; `$${name}` stands for `${name}` itself. What comes out of a variable is never looked at
/// again.
struct Expansion {
  Value value{};
  std::vector<Finding> findings{};  // undefined and unclosed ones; the pointers are those of `value`
};

/// Puts the variables' values (scalars) in: a text that is nothing but `${name}` becomes the value with its type, in
/// any other one stands its text. `pointer` is where `value` stands in its document.
Expansion expand_variables(const Value& value, const Map& variables, const std::string& pointer);

/// The names that a value uses, so that hosts for which those are equal share one expansion.
std::set<std::string> used_variables(const Value& value);

/// Whether a text would be expanded.
bool has_variables(const std::string& text);

}  // namespace holdfast
