#pragma once

#include <manifests/value.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast {

/// What a JSON text from outside (a host's reply, a journal, a database row, an HTTP body) may cost us.
struct JsonLimits {
  std::size_t bytes = 64U << 20U;
  std::size_t depth = 32;
};

/// Canonical text: sorted keys, no white space. Equal values give equal text; digests are taken of it.
/// Bytes that are not UTF-8 are written as replacement characters: carry binary data as base64 or as a blob.
std::string to_json(const Value& value);
/// The same for eyes, two spaces a level.
std::string to_pretty_json(const Value& value);

/// Throws Error on anything that is not one JSON value within the limits: also on a duplicate key.
Value from_json(std::string_view text, const JsonLimits& limits = {});

}  // namespace holdfast
