#pragma once

#include <string>

namespace holdfast {

// Texts from repositories and hosts as GitHub's Markdown: nothing in them is markup, a mention, or HTML. The texts are
// printable and, but for a fence's, of one line.

/// A code span, also in the cell of a table; empty for an empty text.
std::string markdown_code(const std::string& text);
/// The same where only HTML is read: inside a line that begins with a tag.
std::string html_code(const std::string& text);
/// A fenced block of lines, with a fence that none of them can end.
std::string markdown_fence(const std::string& language, const std::string& lines);

}  // namespace holdfast
