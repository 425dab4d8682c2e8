#pragma once

#include <manifests/value.hpp>

#include <string>

namespace holdfast {

/// An unquoted YAML scalar with its type, or why it is refused: what different programs read differently (`no`, `0644`,
/// `12:30`) and what no number of ours can hold.
struct PlainScalar {
  Value value{};
  std::string refusal{};  // not empty: it is refused
  std::string hint{};
};

/// Types by the core schema of YAML 1.2: null, true and false, decimal integers, decimal fractions; else text.
PlainScalar type_plain_scalar(const std::string& text);

}  // namespace holdfast
