#include <controller/git/diff.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

TEST_CASE("a diff has hunks with three lines around each change", "[git]") {
  const TextDiff diff = diff_texts("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n");
  CHECK(diff.text == "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
  CHECK(diff.added == 1);
  CHECK(diff.removed == 1);
}

TEST_CASE("a diff tells of a missing line end", "[git]") {
  const TextDiff diff = diff_texts("a", "a\n");
  CHECK(diff.text.find("\\ No newline at end of file") != std::string::npos);
}

TEST_CASE("equal texts have no diff, and a new one is all additions", "[git]") {
  CHECK(diff_texts("a\n", "a\n").text.empty());
  CHECK(diff_texts("", "a\nb\n").text == "@@ -0,0 +1,2 @@\n+a\n+b\n");
  CHECK(diff_texts("a\n", "").removed == 1);
}

TEST_CASE("bytes that are no text are told apart", "[git]") {
  CHECK(is_binary(std::string("a\0b", 3)));
  CHECK(is_binary("caf\xe9"));
  CHECK_FALSE(is_binary("café\n"));
  CHECK_FALSE(is_binary(""));
}
