#include <controller/cli/table.hpp>

#include <manifests/problem.hpp>

#include <unistd.h>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t gap = 2;

std::string cell_text(const std::string& text) {
  std::string line = printable(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return line;
}

std::vector<std::size_t> widths_of(const Table& table) {
  std::vector<std::size_t> widths;
  const auto take = [&](std::size_t column, const std::string& text) {
    if (widths.size() <= column) widths.resize(column + 1, 0);
    widths[column] = std::max(widths[column], columns_of(cell_text(text)));
  };
  for (std::size_t i = 0; i < table.headers.size(); ++i) take(i, table.headers[i]);
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) take(i, row[i].text);
  }
  return widths;
}

std::string line_of(const std::vector<Cell>& cells, const std::vector<std::size_t>& widths, const Terminal& terminal) {
  std::string line;
  std::size_t used = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::string text = cell_text(cells[i].text);
    const bool last = i + 1 == cells.size();
    if (last && terminal.live && used + columns_of(text) > terminal.width) {
      text = cut_to(text, terminal.width > used + 1 ? terminal.width - used : 1);
    }
    line += styled(cells[i].style, text, terminal.colour);
    if (!last) line.append(widths[i] - columns_of(text) + gap, ' ');
    used += widths[i] + gap;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + "\n";
}

}  // namespace

std::string render_table(const Table& table, const Terminal& terminal) {
  if (table.rows.empty()) return "";
  const std::vector<std::size_t> widths = widths_of(table);
  std::string text;
  if (!table.headers.empty()) {
    std::vector<Cell> headers;
    for (const std::string& header : table.headers) headers.push_back({header, Style::dim});
    text += line_of(headers, widths, terminal);
  }
  for (const auto& row : table.rows) text += line_of(row, widths, terminal);
  return text;
}

std::string render_table(const std::vector<std::string>& headers, const std::vector<std::vector<std::string>>& rows) {
  Table table{.headers = headers};
  for (const auto& row : rows) {
    std::vector<Cell>& cells = table.rows.emplace_back();
    for (const std::string& text : row) cells.push_back({text, Style::plain});
  }
  return render_table(table, terminal_of(STDOUT_FILENO));
}

}  // namespace holdfast
