#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace holdfast {

/// Where output goes: what may be sent there besides plain lines.
struct Terminal {
  bool live = false;        // a terminal that can rewrite its lines
  bool colour = false;      // live, and neither NO_COLOR nor TERM=dumb says otherwise
  std::size_t width = 100;  // columns; 100 where nothing is known
};

enum class UseColour { automatic, always, never };

/// Looks at a file descriptor and the environment. What is asked for goes over both.
Terminal terminal_of(int descriptor, UseColour colour = UseColour::automatic);

/// The same of standard output.
bool use_colour();
std::size_t terminal_width();

enum class Style { plain, bold, dim, good, bad, warning, note };
/// The text between the style's escape sequences; the text alone without colour.
std::string styled(Style style, const std::string& text, bool colour);

/// How many columns a printable text takes, as far as code points tell.
std::size_t columns_of(const std::string& text);
/// The text in at most that many columns, ending in "…" where it was cut.
std::string cut_to(const std::string& text, std::size_t columns);

/// What goes on at several places at once: on a terminal a block of lines at the bottom that are rewritten as they
/// change, elsewhere one line per event. Texts are made printable here. Used by one thread at a time; end() before
/// anything else is printed.
class LiveLines {
 public:
  LiveLines(std::ostream& out, const Terminal& terminal) : out_(out), terminal_(terminal) {}
  ~LiveLines() { end(); }
  LiveLines(const LiveLines&) = delete;
  LiveLines& operator=(const LiveLines&) = delete;

  /// What `name` is doing now.
  void update(const std::string& name, const std::string& text);
  /// What `name` came to: a line that stays, above what still goes on.
  void finish(const std::string& name, const std::string& text);
  /// Removes the block.
  void end();

 private:
  void erase_block();
  void draw_block();

  std::ostream& out_;
  Terminal terminal_;
  std::vector<std::pair<std::string, std::string>> lines_;
  std::size_t drawn_ = 0;
};

}  // namespace holdfast
