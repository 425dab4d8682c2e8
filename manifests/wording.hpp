#pragma once

#include <manifests/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// `the text "80a"`, `the integer 5`, `a list`, `nothing`: what was found, for messages; long texts are cut.
std::string found_words(const Value& value);
/// A scalar as it is written: `"80a"`, `5`, `true`.
std::string scalar_words(const Value& value);
/// "a text", "a text or a list": what a schema's "type" asks for; "" where it asks for nothing.
std::string expected_words(const Value& schema);
/// The types that a schema takes: one or several of JSON Schema's names; empty for any.
std::vector<std::string> schema_types(const Value& schema);
bool has_type(const Value& value, std::string_view type);
/// What to do where a scalar has the wrong type; `written` is how it stands in the file, "" where it is quoted.
std::string type_hint(const Value& schema, const Value& value, const std::string& written);

}  // namespace holdfast
