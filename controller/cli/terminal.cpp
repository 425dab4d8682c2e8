#include <controller/cli/terminal.hpp>

#include <manifests/problem.hpp>
#include <manifests/text.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <string_view>

namespace holdfast {

namespace {

constexpr std::size_t most_live_lines = 20;
constexpr std::size_t narrowest = 40;

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

const char* sequence_of(Style style) {
  switch (style) {
    case Style::plain:
      return "";
    case Style::bold:
      return "\x1b[1m";
    case Style::dim:
      return "\x1b[2m";
    case Style::good:
      return "\x1b[32m";
    case Style::bad:
      return "\x1b[31m";
    case Style::warning:
      return "\x1b[33m";
    case Style::note:
      return "\x1b[36m";
  }
  return "";
}

std::string one_line(const std::string& text) {
  std::string line = printable(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::replace(line.begin(), line.end(), '\t', ' ');
  return line;
}

}  // namespace

Terminal terminal_of(int descriptor, UseColour colour) {
  Terminal terminal;
  const char* kind = std::getenv("TERM");
  const bool dumb = kind == nullptr || std::string_view(kind) == "dumb";
  terminal.live = ::isatty(descriptor) == 1 && !dumb;
  terminal.colour = terminal.live && !is_set("NO_COLOR");
  if (colour != UseColour::automatic) terminal.colour = colour == UseColour::always;
  winsize size{};
  if (terminal.live && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.width = std::max<std::size_t>(size.ws_col, narrowest);
  }
  return terminal;
}

bool use_colour() { return terminal_of(STDOUT_FILENO).colour; }

std::size_t terminal_width() { return terminal_of(STDOUT_FILENO).width; }

std::string styled(Style style, const std::string& text, bool colour) {
  if (!colour || style == Style::plain || text.empty()) return text;
  return sequence_of(style) + text + "\x1b[0m";
}

std::size_t columns_of(const std::string& text) { return count_characters(text); }

std::string cut_to(const std::string& text, std::size_t columns) {
  if (columns_of(text) <= columns) return text;
  std::string cut;
  std::size_t at = 0;
  for (std::size_t taken = 0; taken + 1 < columns && at < text.size(); ++taken) {
    const std::size_t bytes = std::max<std::size_t>(code_point_at(text, at).bytes, 1);
    cut.append(text, at, bytes);
    at += bytes;
  }
  return cut + "…";
}

void LiveLines::update(const std::string& name, const std::string& text) {
  const std::string shown = one_line(text);
  const auto known = std::find_if(lines_.begin(), lines_.end(), [&](const auto& line) { return line.first == name; });
  const bool same = known != lines_.end() && known->second == shown;
  if (same) return;
  if (known == lines_.end()) {
    lines_.emplace_back(name, shown);
  } else {
    known->second = shown;
  }
  if (!terminal_.live) {
    out_ << one_line(name) << "  " << shown << std::endl;
    return;
  }
  erase_block();
  draw_block();
}

void LiveLines::finish(const std::string& name, const std::string& text) {
  std::erase_if(lines_, [&](const auto& line) { return line.first == name; });
  erase_block();
  out_ << one_line(name) << "  " << one_line(text) << "\n";
  draw_block();
  out_.flush();
}

void LiveLines::end() {
  erase_block();
  lines_.clear();
  out_.flush();
}

void LiveLines::erase_block() {
  for (; drawn_ > 0; --drawn_) out_ << "\x1b[1A\x1b[2K";
}

void LiveLines::draw_block() {
  if (!terminal_.live) return;
  for (const auto& [name, text] : lines_) {
    if (drawn_ == most_live_lines) break;
    const std::string line = cut_to(one_line(name) + "  " + text, terminal_.width - 1);
    out_ << styled(Style::dim, line, terminal_.colour) << "\n";
    ++drawn_;
  }
  out_.flush();
}

}  // namespace holdfast
