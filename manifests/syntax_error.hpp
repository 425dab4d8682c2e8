#pragma once

#include <manifests/problem.hpp>
#include <manifests/source_text.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace holdfast {

/// What was known when the parser gave up.
struct SyntaxError {
  std::string message{};                 // the library's
  std::size_t offset = 0;                // where it gave up
  std::size_t last_event = 0;            // where the last thing began that it could read
  std::vector<std::size_t> open_flow{};  // where the [ and { began that are still open
};

/// Tells a syntax error where it was made (the quote that is never closed, the tab) and what to do about it.
Problem explain_syntax_error(const SourceText& source, const SyntaxError& error);

}  // namespace holdfast
