#include <manifests/document.hpp>
#include <manifests/json.hpp>
#include <tests/manifests/fleet_builder.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::test;

namespace {

std::string json_of(const std::string& text) {
  const Parsed parsed = parse_documents("a.yaml", text);
  INFO(rendered(parsed.problems));
  REQUIRE(parsed.problems.empty());
  REQUIRE(parsed.documents.size() == 1);
  return to_json(parsed.documents.front().root);
}

void refuses(const std::string& text, const std::string& place, const std::string& words) {
  const Parsed parsed = parse_documents("a.yaml", text);
  INFO("expected " << place << " " << words << "\n" << rendered(parsed.problems));
  CHECK(tells(parsed.problems, place, words));
}

std::string repeated(const std::string& piece, std::size_t times) {
  std::string text;
  for (std::size_t count = 0; count < times; ++count) text += piece;
  return text;
}

}  // namespace

TEST_CASE("plain scalars are typed as YAML 1.2 types them", "[document]") {
  CHECK(json_of("a: 12\nb: -3\nc: 1.5\nd: true\ne: text\nf: \"12\"\ng: '1.5'\n") ==
        R"({"a":12,"b":-3,"c":1.5,"d":true,"e":"text","f":"12","g":"1.5"})");
  CHECK(json_of("a: 1.2.3\nb: 2001-12-14\nc: 10.0.0.1:80\nd: v1\n") ==
        R"({"a":"1.2.3","b":"2001-12-14","c":"10.0.0.1:80","d":"v1"})");
}

TEST_CASE("block and quoted texts keep their bytes", "[document]") {
  CHECK(json_of("a: |\n  x\n    y\n\n  z\nb: >\n  p\n  q\nc: \"t\\tn\\n\"\n") ==
        R"({"a":"x\n  y\n\nz\n","b":"p q\n","c":"t\tn\n"})");
}

TEST_CASE("positions are those of values, for maps and lists those of their keys", "[document]") {
  const Parsed parsed = parse_documents("a.yaml", "spec:\n  mode: \"0644\"\n  list:\n    - {x: 1}\n  ü: y\n");
  REQUIRE(parsed.documents.size() == 1);
  const Document& document = parsed.documents.front();
  CHECK(to_text(document.at("/spec")) == "a.yaml:1:1");
  CHECK(to_text(document.at("/spec/mode")) == "a.yaml:2:9");
  CHECK(to_text(document.key_at("/spec/mode")) == "a.yaml:2:3");
  CHECK(to_text(document.at("/spec/list")) == "a.yaml:3:3");
  CHECK(to_text(document.at("/spec/list/0/x")) == "a.yaml:4:11");
  CHECK(to_text(document.at("/spec/ü")) == "a.yaml:5:6");
}

TEST_CASE("Y1: a tab in the indentation is refused and named", "[document]") {
  refuses("a:\n\tb: c\n", "2:1", "tab");
  refuses("a:\n  b: c\n\td: e\n", "3:1", "tab");
  refuses("a:\n  b: c\n \td: e\n", "3:2", "tab");
  refuses("a:\n\tvalue\n", "2:1", "tab");
  refuses("a:\n\t- b\n", "2:1", "tab");
  CHECK(json_of("a: |\n  x\n  \ty\n") == R"({"a":"x\n\ty\n"})");
}

TEST_CASE("Y2: what is never closed is told where it was opened", "[document]") {
  refuses("a: b\nk: 'x\nc: d\n", "2:4", "unclosed quote");
  refuses("a: it's\nk: \"x\nc: d\n", "2:4", "unclosed quote");
  refuses("a: |\n  don't \"do\n# it's\nk: [1, \"x]\nc: d\n", "4:8", "unclosed quote");
  refuses("a: b\nk: [x, y\nc: d\n", "2:4", "unclosed \"[\"");
  refuses("a: b\nk: {x: y\nc: d\n", "2:4", "unclosed \"{\"");
}

TEST_CASE("Y3: a duplicate key is refused with both places", "[document]") {
  refuses("a: 1\nb: 2\na: 3\n", "3:1", "duplicate key \"a\"");
  const Parsed parsed = parse_documents("a.yaml", "x:\n  a: 1\n  a: {b: 1, b: 2}\n");
  REQUIRE(parsed.problems.size() == 2);
  REQUIRE(parsed.problems[0].also.size() == 1);
  CHECK(to_text(parsed.problems[0].also[0]) == "a.yaml:2:3");
  CHECK(to_json(parsed.documents.front().root) == R"({"x":{"a":1}})");
}

TEST_CASE("Y4 and Y6: anchors and aliases are refused at the first, also one inside itself", "[document]") {
  refuses("a: &x [1]\nb: c\n", "1:4", "anchors are not allowed");
  refuses("a: &x [1]\nb: [*x, *x]\n", "2:5", "aliases are not allowed");
  refuses("a: &x [*x]\n", "1:8", "aliases are not allowed");
  refuses("a: *nothing\n", "1:4", "aliases are not allowed");
}

TEST_CASE("Y5: depth is limited before anything recurses", "[document]") {
  refuses("a: " + repeated("[", 10'000) + repeated("]", 10'000), "1:35", "nested deeper than 32 levels");
  refuses(repeated("[", 1'000'000), "", "");
  refuses(repeated("{a: ", 10'000) + "1" + repeated("}", 10'000), "", "nested deeper than 32 levels");
  refuses(repeated("- ", 10'000), "", "nested deeper than 32 levels");
}

TEST_CASE("Y7 and Y8: merge keys and tags are refused", "[document]") {
  refuses("a: {x: 1}\nb:\n  <<: {x: 2}\n", "3:3", "merge keys are not allowed");
  refuses("a: !!python/object {}\n", "1:4", "tags are not allowed");
  refuses("a: !include x.yaml\n", "1:4", "tags are not allowed");
  refuses("a: !!str 5\n", "1:4", "tags are not allowed");
  refuses("a: ! x\n", "1:4", "tags are not allowed");
}

TEST_CASE("Y9: several documents are parted by three dashes, and nothing else ends one", "[document]") {
  CHECK(parse_documents("a.yaml", "# licence\n---\na: 1\n---\nb: 2\n").documents.size() == 2);
  refuses("a: 1\n...\ngarbage: 2\n", "2:1", "document end marker");
  refuses("%YAML 1.1\n---\na: 1\n", "1:1", "directives");
  refuses("a: 1\n---\n", "", "empty document");
  refuses("a: 1\n---\n# nothing\n---\nb: 2\n", "2:1", "empty document");
}

TEST_CASE("Y10: an empty file is no manifest", "[document]") {
  refuses("", "1:1", "holds no manifest");
  refuses("# only this\n\n---\n", "1:1", "holds no manifest");
  refuses("~\n", "", "empty document");
  refuses("- a\n- b\n", "1:1", "must be a map");
}

TEST_CASE("Y11: a byte order mark is dropped, other encodings are refused", "[document]") {
  CHECK(json_of("\xEF\xBB\xBF"
                "a: 1\n") == R"({"a":1})");
  refuses(std::string("\xFF\xFE"
                      "a\0:\0",
                      6),
          "1:1", "UTF-16");
  refuses(std::string("a\0:\0 \0", 6), "1:1", "UTF-16");
  refuses("a: b\nk: \xC3\x28\n", "2:4", "invalid UTF-8 at byte 8");
  refuses("k: \xED\xA0\x80\n", "1:4", "invalid UTF-8");
}

TEST_CASE("Y12: hidden characters are refused, also where an escape makes them", "[document]") {
  refuses(std::string("a: x\0y\n", 7), "1:5", "U+0000");
  refuses("a: x\xE2\x80\xAEy\n", "1:5", "U+202E");
  refuses("a: \x1B[31mred\n", "1:4", "U+001B");
  refuses("a: b\rc: d\n", "1:5", "U+000D");
  refuses("a: \"x\\u202ey\"\n", "1:4", "U+202E");
  refuses("a: \"\\e[0m\"\n", "1:4", "U+001B");
  refuses("\"a\\0\": b\n", "1:1", "U+0000");
}

TEST_CASE("Y13: what YAML 1.1 takes for a boolean must be quoted", "[document]") {
  for (const char* word : {"yes", "No", "on", "OFF", "y", "N"}) {
    refuses(std::string("a: ") + word + "\n", "1:4", "write \"" + std::string(word) + "\" in quotes");
  }
  CHECK(json_of("a: \"yes\"\nyes: no problem\n") == R"({"a":"yes","yes":"no problem"})");
}

TEST_CASE("Y14: numbers that programs read differently must be quoted", "[document]") {
  refuses("mode: 0644\n", "1:7", "\"0644\" without quotes is octal");
  refuses("at: 12:30\n", "1:5", "\"12:30\" without quotes");
  refuses("a: 0x1F\n", "1:4", "not a decimal number");
  refuses("a: 0o17\n", "1:4", "not a decimal number");
}

TEST_CASE("Y15: a key without a value is refused", "[document]") {
  refuses("a:\nb: 1\n", "1:1", "\"a\" has no value");
  refuses("a: ~\nb: null\n", "2:1", "\"b\" has no value");
  refuses("a:\n  - x\n  -\n", "", "list item has no value");
  refuses(": b\n", "", "a key must be a text");
}

TEST_CASE("Y18: numbers that don't fit are refused", "[document]") {
  refuses("a: 9223372036854775808\n", "1:4", "out of range");
  refuses("a: 1e999\n", "1:4", "out of range");
  refuses("a: .inf\n", "1:4", "not a finite number");
  refuses("a: -.INF\n", "1:4", "not a finite number");
  refuses("a: .nan\n", "1:4", "not a finite number");
}

TEST_CASE("Y19 and Y20: sizes are limited before anything is built", "[document]") {
  refuses("a: " + std::string(2U << 20U, 'x'), "0:0", "at most 1048576 bytes");
  refuses("a: " + std::string(300'000, 'x'), "1:4", "text of 300000 bytes");
  refuses("a: [" + repeated("1,", 250'000) + "]", "", "more than 200000 values");
  refuses(std::string(300, 'k') + ": 1\n", "1:1", "key of 300 bytes");
}

TEST_CASE("Y21: line ends may be CRLF and become LF", "[document]") {
  CHECK(json_of("a: |\r\n  x\r\n  y\r\nb: c\nd: e\r\n") == R"({"a":"x\ny\n","b":"c","d":"e"})");
  refuses("a: b\r\nk:\r\n", "2:1", "has no value");
}

TEST_CASE("a map or list as a key is refused, as braces without quotes make it", "[document]") {
  refuses("path: {{ name }}\n", "1:8", "can't be a key");
  refuses("? [a]\n: b\n", "1:3", "can't be a key");
}

TEST_CASE("all problems that the syntax allows to see are told in one go", "[document]") {
  const Parsed parsed = parse_documents("a.yaml", "a: yes\nb: 0644\nc:\nd: &x 1\nb: 2\n---\ne: .nan\n");
  CHECK(parsed.problems.size() == 6);
}

TEST_CASE("the last line needs no line end", "[document]") {
  CHECK(json_of("a: |\n  x") == R"({"a":"x\n"})");
  CHECK(json_of("a: 'x'") == R"({"a":"x"})");
}
