#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// One code point of a UTF-8 text. `bytes` is 0 where the text is no UTF-8 at that place (also for surrogates, overlong
/// forms and values beyond Unicode) and at its end.
struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;
};
CodePoint code_point_at(std::string_view text, std::size_t at);

/// Control characters (but tab and line feed), the formatting characters that reorder what is shown, and a byte order
/// mark inside a text: nothing that a manifest may hold.
bool is_hidden_character(char32_t value);

/// "U+202E" and what it is, for messages.
std::string describe_character(char32_t value);

/// How many code points the text has; a byte that is no UTF-8 counts as one.
std::size_t count_characters(std::string_view text);

/// The candidate that `word` was probably meant to be: "" where none is near enough.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "did you mean "mode"?", or "" where no candidate is near.
std::string nearest_hint(std::string_view word, const std::vector<std::string>& candidates);

/// `"a", "b" or "c"` for messages; cut after `most` of them.
std::string quoted_list(const std::vector<std::string>& words, std::string_view last, std::size_t most = 12);

/// What Git LFS leaves in the place of a file: its content is not in the repository.
bool is_lfs_pointer(std::string_view bytes);

}  // namespace holdfast
