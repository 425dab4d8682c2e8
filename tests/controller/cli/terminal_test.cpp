#include <controller/cli/table.hpp>
#include <controller/cli/terminal.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

using namespace holdfast;

namespace {

/// A terminal of our own, 60 columns wide.
struct Pty {
  int ours = -1;
  int theirs = -1;
  Pty() {
    winsize size{};
    size.ws_col = 60;
    size.ws_row = 20;
    REQUIRE(openpty(&ours, &theirs, nullptr, nullptr, &size) == 0);
  }
  ~Pty() {
    close(ours);
    close(theirs);
  }
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;
};

}  // namespace

TEST_CASE("colour is for a terminal that does not say otherwise", "[cli]") {
  const Pty pty;
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  CHECK(terminal_of(pty.theirs).colour);
  CHECK(terminal_of(pty.theirs).width == 60);
  setenv("NO_COLOR", "1", 1);
  CHECK_FALSE(terminal_of(pty.theirs).colour);
  CHECK(terminal_of(pty.theirs).live);
  unsetenv("NO_COLOR");
  setenv("TERM", "dumb", 1);
  CHECK_FALSE(terminal_of(pty.theirs).live);
  setenv("TERM", "xterm", 1);
  const int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
  CHECK_FALSE(terminal_of(file).colour);
  CHECK_FALSE(terminal_of(file).live);
  CHECK(terminal_of(file).width == 100);
  close(file);
}

TEST_CASE("live lines are rewritten on a terminal", "[cli]") {
  std::ostringstream out;
  {
    LiveLines lines(out, {.live = true, .width = 40});
    lines.update("web1", "staging");
    lines.update("web2", "staging");
    out.str("");
    lines.update("web1", "applying \x1b[2J");
    CHECK(out.str() == "\x1b[1A\x1b[2K\x1b[1A\x1b[2Kweb1  applying \\x1b[2J\nweb2  staging\n");
    out.str("");
    lines.finish("web1", "deployed");
    CHECK(out.str() == "\x1b[1A\x1b[2K\x1b[1A\x1b[2Kweb1  deployed\nweb2  staging\n");
    out.str("");
  }
  CHECK(out.str() == "\x1b[1A\x1b[2K");
}

TEST_CASE("live lines are one line per event elsewhere, and none for the same twice", "[cli]") {
  std::ostringstream out;
  LiveLines lines(out, {});
  lines.update("web1", "staging");
  lines.update("web1", "staging");
  lines.update("web1", "apply\ning");
  lines.finish("web1", "deployed");
  lines.end();
  CHECK(out.str() == "web1  staging\nweb1  apply ing\nweb1  deployed\n");
}

TEST_CASE("a line that is too long is cut by characters, not bytes", "[cli]") {
  CHECK(cut_to("abc", 3) == "abc");
  CHECK(cut_to("abcd", 3) == "ab…");
  CHECK(cut_to("éééé", 3) == "éé…");
  CHECK(columns_of("é…") == 2);
}

TEST_CASE("a table's columns are as wide as their cells", "[cli]") {
  const Table table{.headers = {"HOST", "WHY"},
                    .rows = {{{"wéb1"}, {"x\ny\x1b"}}, {{"a"}, {""}}, {{"longer-name"}, {"z"}}}};
  CHECK(render_table(table, {}) == "HOST         WHY\nwéb1         x y\\x1b\na\nlonger-name  z\n");
  CHECK(render_table(Table{.headers = {"A"}, .rows = {}}, {}).empty());
  const Table wide{.headers = {}, .rows = {{{"a"}, {std::string(100, 'b')}}}};
  CHECK(columns_of(render_table(wide, {.live = true, .width = 40})) == 41);
  CHECK(columns_of(render_table(wide, {})) == 104);
  CHECK(render_table(Table{.headers = {}, .rows = {{{"a", Style::good}}}}, {.live = true, .colour = true}) ==
        "\x1b[32ma\x1b[0m\n");
}
