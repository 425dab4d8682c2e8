#include <controller/git/mirror.hpp>
#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <filesystem>

#include "git_fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  TempFolder folder{};
  GitRepository source{folder / "source"};

  [[nodiscard]] std::unique_ptr<Tree> tree(const std::string& commit) const {
    const auto mirror = Mirror::open(folder / "mirror.git", {.url = source.path()}, child_options());
    mirror->fetch(in_seconds(60));
    return mirror->tree(commit);
  }
  /// A commit of a tree that has one blob under this raw name, as only a hostile remote makes one.
  [[nodiscard]] std::string commit_named(const std::string& name) const {
    source.commit("plain", "x");
    const std::string id = source.git({"rev-parse", "HEAD:plain"});
    std::string raw;
    for (std::size_t i = 0; i < id.size(); i += 2) raw += static_cast<char>(std::stoi(id.substr(i, 2), nullptr, 16));
    std::string bytes = "100644 " + name;
    bytes += '\0';
    write_file(folder / "raw-tree", bytes + raw);
    const std::string tree = source.git({"hash-object", "-t", "tree", "-w", "--literally", folder / "raw-tree"});
    const std::string commit = source.git({"commit-tree", "-m", "hostile", tree});
    source.git({"update-ref", "refs/heads/hostile", commit});
    return commit;
  }
};

}  // namespace

TEST_CASE("a tree lists every leaf with its type, size and id, sorted by path", "[git]") {
  const Fixture fixture;
  write_file(fixture.source.path() + "/b/run", "#!/bin/sh\n");
  fs::permissions(fixture.source.path() + "/b/run", fs::perms::owner_all);
  fs::create_symlink("../a", fixture.source.path() + "/b/link");
  write_file(fixture.source.path() + "/b.txt", "dot sorts before slash\n");
  const std::string commit = fixture.source.commit("a", "12345");
  const auto tree = fixture.tree(commit);
  const auto all = tree->list("");
  REQUIRE(all.size() == 4);
  CHECK(all[0].path == "a");
  CHECK(all[0].size == 5);
  CHECK(all[0].id == fixture.source.git({"rev-parse", "HEAD:a"}));
  CHECK(all[1].path == "b.txt");
  CHECK(all[2].path == "b/link");
  CHECK(all[2].type == EntryType::symlink);
  CHECK(all[3].path == "b/run");
  CHECK(all[3].type == EntryType::executable);
  CHECK(tree->list("b").size() == 2);
  CHECK(tree->list("b/").size() == 2);
  CHECK(tree->list("none").empty());
  CHECK(tree->describe() == "commit " + commit);
}

TEST_CASE("a tree reads plain files only, and none that is larger than allowed", "[git]") {
  const Fixture fixture;
  fs::create_symlink("a", fixture.source.path() + "/link");
  const auto tree = fixture.tree(fixture.source.commit("a", "12345"));
  CHECK(tree->read("a", 5) == "12345");
  CHECK_THROWS_WITH(tree->read("a", 4), Catch::Contains("has 5 bytes, at most 4"));
  CHECK_FALSE(tree->read("link", 100).has_value());
  CHECK_FALSE(tree->read("none", 100).has_value());
  CHECK_FALSE(tree->read("../a", 100).has_value());
  CHECK_FALSE(tree->read("/a", 100).has_value());
}

TEST_CASE("a tree outlives its mirror", "[git]") {
  const Fixture fixture;
  auto tree = fixture.tree(fixture.source.commit("a", "12345"));
  CHECK(tree->read("a", 5) == "12345");
}

TEST_CASE("a submodule is listed as one and never followed", "[git]") {
  const Fixture fixture;
  const std::string first = fixture.source.commit("a", "1");
  fixture.source.git({"update-index", "--add", "--cacheinfo", "160000," + first + ",lib"});
  fixture.source.git({"commit", "-q", "-m", "submodule"});
  const auto all = fixture.tree(fixture.source.git({"rev-parse", "HEAD"}))->list("");
  REQUIRE(all.size() == 2);
  CHECK(all[1].path == "lib");
  CHECK(all[1].type == EntryType::submodule);
}

TEST_CASE("a tree with names that no host could hold is refused", "[git]") {
  const Fixture fixture;
  for (const char* name : {".git", ".GIT", "..", ".", "a\nb", "a\x1b[2Jb", "a\x7f", "caf\xe9", "a/b"}) {
    INFO(name);
    const std::string commit = fixture.commit_named(name);
    CHECK_THROWS_AS(fixture.tree(commit), Error);
  }
  CHECK_NOTHROW(fixture.tree(fixture.commit_named("café")));
}

TEST_CASE("a commit that the mirror does not have is an error in words", "[git]") {
  const Fixture fixture;
  fixture.source.commit("a", "1");
  CHECK_THROWS_WITH(fixture.tree(std::string(40, '1')), Catch::Contains("has no commit"));
  CHECK_THROWS_AS(fixture.tree("main"), Error);
}

TEST_CASE("folders nested without end are refused", "[git]") {
  const Fixture fixture;
  std::string path;
  for (int i = 0; i < 70; ++i) path += "d/";
  CHECK_THROWS_WITH(fixture.tree(fixture.source.commit(path + "a", "1")), Catch::Contains("nested deeper than 64"));
}
