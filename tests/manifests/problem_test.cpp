#include <manifests/problem.hpp>
#include <manifests/text.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

Problem at(int line, int column, const std::string& text) {
  Problem problem;
  problem.where = {"web.yaml", line, column};
  problem.what = "unknown key \"modee\"";
  problem.line_text = text;
  return problem;
}

}  // namespace

TEST_CASE("a problem is rendered with its line and a caret under the column", "[problem]") {
  Problem problem = at(14, 9, "        modee: 1");
  problem.hint = "did you mean \"mode\"?";
  CHECK(render(problem) ==
        "web.yaml:14:9: unknown key \"modee\": did you mean \"mode\"?\n            modee: 1\n            ^");
}

TEST_CASE("a problem without a line is one line", "[problem]") {
  CHECK(render(at(14, 9, "")) == "web.yaml:14:9: unknown key \"modee\"");
  CHECK(render(at(0, 0, "")) == "web.yaml: unknown key \"modee\"");
}

TEST_CASE("the caret counts characters, not bytes, and shown escapes move it", "[problem]") {
  CHECK(render(at(1, 3, "üöa")).ends_with("\n    üöa\n      ^"));
  CHECK(render(at(1, 3, "\ta\x1b")).ends_with("\n     a\\x1b\n      ^"));
  CHECK(render(at(1, 2, "\x1bz")).ends_with("\n    \\x1bz\n        ^"));
}

TEST_CASE("long lines are cut around the caret", "[problem]") {
  const std::string text = std::string(500, 'a') + "X" + std::string(500, 'b');
  const std::string shown = render(at(1, 501, text));
  const std::size_t line = shown.find('\n');
  const std::size_t caret = shown.rfind('\n');
  CHECK(shown.size() < 400);
  const std::string cut = shown.substr(line + 1, caret - line - 1);
  CHECK(count_characters(cut.substr(0, cut.find('X'))) == shown.size() - caret - 2);
}

TEST_CASE("other places of a problem follow", "[problem]") {
  Problem problem = at(3, 1, "a: 2");
  problem.also.push_back({"web.yaml", 1, 1});
  CHECK(render(problem).ends_with("a: 2\n    ^\n    see also web.yaml:1:1"));
}

TEST_CASE("texts from outside can't drive a terminal", "[problem]") {
  CHECK(printable("a\x1b[31m\xE2\x80\xAE\x7f\xff ü\tx\n") == "a\\x1b[31m\\u202e\\x7f\\xff ü\tx\n");
  Problem problem = at(1, 1, "");
  problem.what = "two\nlines";
  CHECK(render(problem) == "web.yaml:1:1: two\\nlines");
}

TEST_CASE("problems are sorted by place and told once", "[problem]") {
  std::vector<Problem> problems = {at(9, 1, ""), at(2, 1, ""), at(9, 1, "")};
  sort_problems(problems);
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].where.line == 2);
}

TEST_CASE("the nearest word is found, and none where none is near", "[text]") {
  const std::vector<std::string> words = {"mode", "owner", "group", "path"};
  CHECK(nearest("modee", words) == "mode");
  CHECK(nearest("onwer", words) == "owner");
  CHECK(nearest("GROUP", words) == "group");
  CHECK(nearest("state", words).empty());
  CHECK(nearest("x", words).empty());
  CHECK(nearest("udi", {"gid", "uid"}) == "uid");  // two letters swapped are one slip
}

TEST_CASE("UTF-8 is read strictly", "[text]") {
  CHECK(code_point_at("\xC3\xBC", 0).value == 0xFC);
  CHECK(code_point_at("\xF0\x9F\x98\x80", 0).bytes == 4);
  for (const char* wrong : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE0\x80\x80", "\x80", "\xC3"}) {
    CHECK(code_point_at(wrong, 0).bytes == 0);
  }
}
