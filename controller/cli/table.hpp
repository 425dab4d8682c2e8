#pragma once

#include <controller/cli/terminal.hpp>

#include <string>
#include <vector>

namespace holdfast {

struct Cell {
  std::string text{};
  Style style = Style::plain;
};

struct Table {
  std::vector<std::string> headers{};  // empty: none are printed
  std::vector<std::vector<Cell>> rows{};
};

/// Columns two spaces apart, as wide as their widest cell; the last one is cut to the terminal's width. Cells are made
/// printable and one line each. Ends in a line end, empty for no rows.
std::string render_table(const Table& table, const Terminal& terminal);
/// The same of plain cells, for standard output.
std::string render_table(const std::vector<std::string>& headers, const std::vector<std::vector<std::string>>& rows);

}  // namespace holdfast
