#include <manifests/error.hpp>
#include <manifests/scalar_edit.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

std::string edit(const std::string& bytes, const std::string& pointer, const Value& value, std::size_t document = 0) {
  return with_member("a.yaml", bytes, document, pointer, value);
}

}  // namespace

TEST_CASE("a scalar is replaced in place, whatever its style, and nothing else is touched", "[scalar]") {
  CHECK(edit("# top\nspec:\n  mode: \"0644\"  # why\n  path: /a\n", "/spec/mode", "0600") ==
        "# top\nspec:\n  mode: \"0600\"  # why\n  path: /a\n");
  CHECK(edit("spec:\n  owner: root # x\n", "/spec/owner", "a:b") == "spec:\n  owner: \"a:b\" # x\n");
  CHECK(edit("spec: {path: /a, mode: '0644', on: true}\n", "/spec/mode", "0600") ==
        "spec: {path: /a, mode: \"0600\", on: true}\n");
  CHECK(edit("spec: {path: /a, owner: root, on: true}\n", "/spec/owner", "bin") ==
        "spec: {path: /a, owner: \"bin\", on: true}\n");
  CHECK(edit("spec: {path: /a, on: true}\n", "/spec/on", false) == "spec: {path: /a, on: false}\n");
  CHECK(edit("a: 'it''s'\nb: 1\n", "/a", "x\ny") == "a: \"x\\ny\"\nb: 1\n");
  CHECK(edit("a: \"\\\"\"\nb: 1\n", "/a", "é") == "a: \"é\"\nb: 1\n");
}

TEST_CASE("a text in lines stays one, with its last line end or without", "[scalar]") {
  const std::string before = "spec:\n  text: |\n    one\n\n      two\n  # about the path\n  path: /a\n";
  CHECK(edit(before, "/spec/text", "three\n\n  four\n") ==
        "spec:\n  text: |\n    three\n\n      four\n  # about the path\n  path: /a\n");
  CHECK(edit(before, "/spec/text", "three") == "spec:\n  text: |-\n    three\n  # about the path\n  path: /a\n");
  CHECK(edit(before, "/spec/text", " indented") == "spec:\n  text: \" indented\"\n  # about the path\n  path: /a\n");
  CHECK(edit("text: |\n  a\n", "/text", "b\n\n\n") == "text: |+\n  b\n\n\n");
}

TEST_CASE("a member that is missing is written before the others", "[scalar]") {
  CHECK(edit("kind: A\nspec:\n  path: /a\n  text: x\n", "/spec/mode", "0600") ==
        "kind: A\nspec:\n  mode: \"0600\"\n  path: /a\n  text: x\n");
  CHECK(edit("spec: {path: /a}\n", "/spec/state", "absent") == "spec: {state: \"absent\", path: /a}\n");
}

TEST_CASE("only the document that is meant changes", "[scalar]") {
  CHECK(edit("a: 1\n---\na: 1\n---\na: 1\n", "/a", 2, 1) == "a: 1\n---\na: 2\n---\na: 1\n");
}

TEST_CASE("what can't be changed in place is refused", "[scalar]") {
  CHECK_THROWS_AS(edit("a: one\n  two\nb: 1\n", "/a", "x"), Error);
  CHECK_THROWS_AS(edit("a: [1]\n", "/a", "x"), Error);
  CHECK_THROWS_AS(edit("a: {}\n", "/a/b", "x"), Error);
  CHECK_THROWS_AS(edit("a: 1\r\n", "/a", 2), Error);
  CHECK_THROWS_AS(edit("a: [\n", "/a", 2), Error);
  CHECK_THROWS_AS(edit("a: 1\n", "/a", 2, 1), Error);
}
