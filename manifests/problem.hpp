#pragma once

#include <compare>
#include <string>
#include <vector>

namespace holdfast {

/// A place in a manifest, as editors count: line and column from 1; 0 where only the file is known.
struct Position {
  std::string file{};  // path inside the tree
  int line = 0;
  int column = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

/// "web.yaml:14:9", or "web.yaml" where no line is known.
std::string to_text(const Position& position);

/// Something in a tree that refuses it: what was found instead of what was expected, and what to do.
struct Problem {
  Position where{};
  std::string what{};            // lower case, subject quoted, no full stop
  std::string hint{};            // what to do; may be empty
  std::string line_text{};       // the offending line, for the caret; empty where there is none
  std::vector<Position> also{};  // the other place of a duplicate, the rest of a cycle
};

/// "file:line:column: what: hint", then the line and a caret under the column; control characters and bidirectional
/// overrides are shown escaped, long lines are cut around the caret. Several lines, the last without a line end.
std::string render(const Problem& problem);

/// By position, equal ones once.
void sort_problems(std::vector<Problem>& problems);

/// `text` with control characters, escape sequences and bidirectional overrides made visible (\x1b, \u202e): what every
/// text from a repository or a host goes through before it reaches a terminal.
std::string printable(const std::string& text);

}  // namespace holdfast
