#include <controller/git/last_change.hpp>
#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include "git_fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;

namespace {

struct History {
  TempFolder folder{};
  GitRepository source{folder / "source"};

  [[nodiscard]] std::unique_ptr<Mirror> mirror() const {
    Remote remote;
    remote.url = source.path();
    auto mirror = Mirror::open(folder / "mirror", remote, child_options());
    mirror->fetch(in_seconds(60));
    return mirror;
  }
  [[nodiscard]] std::string head() const {
    std::string id = source.git({"rev-parse", "HEAD"});
    while (id.ends_with('\n')) id.pop_back();
    return id;
  }
  [[nodiscard]] std::optional<Commit> change_of(const std::string& path, std::size_t most = 5000) const {
    const auto mirrored = mirror();
    return last_change(
        *mirrored, head(), [&](const std::string& commit) { return mirrored->object_at(commit, path); }, most);
  }
};

}  // namespace

TEST_CASE("the commit that made a file what it is, is found behind others", "[git]") {
  const History history;
  history.source.commit("a.txt", "one\n");
  const std::string second = history.source.commit("a.txt", "two\n");
  history.source.commit("deep/b.txt", "other\n");
  history.source.commit("deep/b.txt", "more\n");
  REQUIRE(history.change_of("a.txt"));
  CHECK(history.change_of("a.txt")->id == second);
  CHECK(history.change_of("deep")->id == history.head());
  CHECK_FALSE(history.change_of("never.txt"));
  CHECK_FALSE(history.change_of("a.txt", 1));
}

TEST_CASE("the first commit made what was there from the beginning", "[git]") {
  const History history;
  const std::string first = history.source.commit("a.txt", "one\n");
  history.source.commit("b.txt", "other\n");
  CHECK(history.change_of("a.txt")->id == first);
}

TEST_CASE("a merge is passed through to the side that a file comes from", "[git]") {
  const History history;
  history.source.commit("a.txt", "one\n");
  history.source.git({"checkout", "--quiet", "-b", "topic"});
  const std::string topic = history.source.commit("a.txt", "two\n");
  history.source.git({"checkout", "--quiet", "-"});
  history.source.commit("b.txt", "other\n");
  history.source.git({"merge", "--quiet", "--no-ff", "-m", "Merge topic", "topic"});
  CHECK(history.change_of("a.txt")->id == topic);
}

TEST_CASE("the commit that removed a file is found", "[git]") {
  const History history;
  history.source.commit("a.txt", "one\n");
  history.source.git({"rm", "--quiet", "a.txt"});
  history.source.git({"commit", "--quiet", "-m", "Remove it"});
  const std::string removed = history.head();
  history.source.commit("b.txt", "other\n");
  REQUIRE(history.change_of("a.txt"));
  CHECK(history.change_of("a.txt")->id == removed);
  CHECK(history.change_of("a.txt")->summary == "Remove it");
}

TEST_CASE("a pull request's head is fetched by its name, which must be a full one", "[git]") {
  const History history;
  const std::string first = history.source.commit("a.txt", "one\n");
  const std::string proposed = history.source.commit("a.txt", "two\n");
  history.source.git({"update-ref", "refs/pull/17/head", proposed});
  history.source.git({"reset", "--quiet", "--hard", first});
  const auto mirror = history.mirror();
  CHECK(mirror->fetch_reference("refs/pull/17/head", in_seconds(60)) == proposed);
  CHECK(mirror->tree(proposed)->read("a.txt", 100) == "two\n");
  CHECK_THROWS_WITH(mirror->fetch_reference("refs/pull/18/head", in_seconds(60)),
                    Catch::Contains("\"refs/pull/18/head\" is no commit"));
  for (const char* bad :
       {"refs/heads/*", "main", "heads/main", "refs/pull/17/head:refs/holdfast/heads/main", "refs/../x", "-x"}) {
    CHECK_THROWS_AS(mirror->fetch_reference(bad, in_seconds(60)), Error);
  }
  CHECK(mirror->branch("main").value_or(first) == first);
}
