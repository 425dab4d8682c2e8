#pragma once

#include <cstddef>
#include <string>

namespace holdfast {

struct TextDiff {
  std::string text{};     // unified hunks from "@@" on, without file headers; empty where the texts are equal
  std::size_t added = 0;  // lines
  std::size_t removed = 0;
};

/// True for bytes that people can't read as a text: a NUL byte, or not UTF-8.
bool is_binary(const std::string& bytes);

/// Unified diff of two texts with three lines of context. The text is as in the files: printable() it before it is
/// shown.
TextDiff diff_texts(const std::string& from, const std::string& to);

}  // namespace holdfast
