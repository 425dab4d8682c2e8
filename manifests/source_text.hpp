#pragma once

#include <manifests/problem.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// The text of one manifest file as the parser gets it (no byte order mark, LF line ends), and its lines.
class SourceText {
 public:
  SourceText(std::string file, std::string_view bytes);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& file() const { return file_; }
  /// What makes the bytes no manifest at all: another encoding, hidden characters, markers that end a document.
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

  /// False where there are only comments, white space and separators.
  [[nodiscard]] bool has_content() const;
  /// Of a byte offset in text(); an offset behind the end is at the end.
  [[nodiscard]] Position position(std::size_t offset) const;
  /// Lines count from 1; "" for one that does not exist.
  [[nodiscard]] std::string_view line(int number) const;
  /// Byte offset of the first tab in the line's indentation; npos where it has none.
  [[nodiscard]] std::size_t tab_in_indentation(int number) const;
  /// Whether only white space stands before the offset in its line.
  [[nodiscard]] bool begins_line(std::size_t offset) const;

  [[nodiscard]] Problem problem(std::size_t offset, std::string what, std::string hint = {}) const;

 private:
  void normalise(std::string_view bytes);
  void find_lines();
  void check_characters();
  void check_markers();

  std::string file_;
  std::string text_;
  std::vector<std::size_t> starts_;  // of each line
  std::vector<Problem> problems_;
  mutable std::size_t counted_to_ = 0;  // columns are counted on from the last one asked for: lines may be long
  mutable std::size_t counted_line_ = 0;
  mutable int counted_ = 0;
};

/// What a file holds from that line on (they count from 1), without a byte order mark.
std::string_view from_line(std::string_view bytes, int number);
/// Up to the first line end.
std::string_view first_line(std::string_view bytes);
/// Gives the problem the line that it is about, out of the bytes of its file.
void quote_line(Problem& problem, std::string_view bytes);

}  // namespace holdfast
