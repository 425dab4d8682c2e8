#pragma once

#include <manifests/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

/// What is wrong with a pattern (RE2's syntax, at most 1,000 characters); nullopt where it can be used.
std::optional<std::string> refuse_pattern(const std::string& pattern);

/// How `text` falls short of {equals | contains | matches: text} or of a plain text (equals); nullopt where it does
/// not. `subject` begins the answer: `expected <subject> to contain "ok", found "<first 200 characters>"`. Patterns
/// cost linear time whatever the text is, and no stack (RE2).
std::optional<std::string> text_shortfall(const std::string& subject, const Value& expected, std::string_view text);

/// The first 200 characters of a text from outside, on one line, quoted, fit for a terminal; "nothing" for an empty
/// one.
std::string excerpt(std::string_view text);

/// 2340 -> "2,340 ms"
std::string milliseconds_text(std::int64_t ms);

}  // namespace holdfast
