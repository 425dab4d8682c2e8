#include <controller/git/release_sources.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <filesystem>
#include <memory>

#include "git_fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;
namespace fs = std::filesystem;

namespace {

/// A fleet's mirror and an application's repository beside it; the clock is turned by hand.
struct Fixture {
  TempFolder folder{};
  GitRepository fleet{folder / "fleet"};
  GitRepository app{folder / "app"};
  std::chrono::steady_clock::time_point now{};
  std::unique_ptr<Mirror> self{};

  std::unique_ptr<GitReleaseSources> sources(const std::string& commit) {
    self = Mirror::open(folder / "self.git", {.url = fleet.path()}, child_options());
    self->fetch(in_seconds(60));
    ReleaseSourcesOptions options;
    options.folder = folder / "mirrors";
    options.mirror = child_options();
    options.now = [this] { return now; };
    auto made = std::make_unique<GitReleaseSources>(*self, folder / "self.git", options);
    made->use_commit(commit);
    return made;
  }
};

}  // namespace

TEST_CASE("self is the tracked commit, with the digests of its files", "[git]") {
  Fixture fixture;
  write_file(fixture.fleet.path() + "/app/run", "#!/bin/sh\n");
  fs::permissions(fixture.fleet.path() + "/app/run", fs::perms::owner_all);
  fs::create_symlink("run", fixture.fleet.path() + "/app/start");
  const std::string commit = fixture.fleet.commit("app/config", "x = 1\n");
  const auto sources = fixture.sources(commit);
  const SourceTree tree = sources->resolve("self", {}, "app");
  CHECK(tree.commit == commit);
  REQUIRE(tree.entries.size() == 3);
  CHECK(tree.entries[0].path == "config");
  CHECK(tree.entries[0].digest == sha256("x = 1\n"));
  CHECK(tree.entries[0].size == 6);
  CHECK(sources->bytes("self", tree.entries[0].object, 100) == "x = 1\n");
  CHECK(tree.entries[1].type == EntryType::executable);
  CHECK(tree.entries[2].type == EntryType::symlink);
  CHECK(tree.entries[2].target == "run");
  CHECK(sources->resolve("self", {}, "").entries.size() == 3);
  CHECK(sources->resolve("self", {}, "app/").entries[0].path == "config");
  CHECK_THROWS_WITH(sources->resolve("self", {}, "none"), Catch::Contains("has no folder \"none\""));
}

TEST_CASE("another repository is resolved by tag, branch or commit", "[git]") {
  Fixture fixture;
  const std::string first = fixture.app.commit("a", "1");
  fixture.app.git({"tag", "-a", "v1", "-m", "one"});
  const std::string second = fixture.app.commit("a", "2");
  const auto sources = fixture.sources(fixture.fleet.commit("x", "x"));
  CHECK(sources->resolve(fixture.app.path(), {.tag = "v1"}, "").commit == first);
  CHECK(sources->resolve(fixture.app.path(), {.branch = "main"}, "").commit == second);
  CHECK(sources->resolve(fixture.app.path(), {.commit = first}, "").commit == first);
  CHECK_THROWS_WITH(sources->resolve(fixture.app.path(), {.tag = "v2"}, ""), Catch::Contains("has no tag \"v2\""));
  CHECK_THROWS_WITH(sources->resolve(fixture.app.path(), {.commit = first.substr(0, 10)}, ""),
                    Catch::Contains("expected a full commit id"));
  CHECK_THROWS_WITH(sources->resolve(fixture.app.path(), {}, ""), Catch::Contains("needs a revision"));
  CHECK_THROWS_WITH(sources->resolve("ext::sh", {.tag = "v1"}, ""), Catch::Contains("is refused"));
}

TEST_CASE("a repository is fetched at most once in an interval, and not for a commit that is there", "[git]") {
  Fixture fixture;
  const std::string first = fixture.app.commit("a", "1");
  const auto sources = fixture.sources(fixture.fleet.commit("x", "x"));
  const auto head = [&] { return sources->resolve(fixture.app.path(), {.branch = "main"}, "").commit; };
  CHECK(head() == first);
  const std::string second = fixture.app.commit("a", "2");
  CHECK(head() == first);
  fixture.now += std::chrono::seconds(31);
  CHECK(head() == second);
  fs::rename(fixture.app.path(), fixture.app.path() + ".gone");
  fixture.now += std::chrono::seconds(31);
  CHECK(sources->take_notes().empty());
  CHECK(sources->resolve(fixture.app.path(), {.commit = first}, "").commit == first);
  CHECK(sources->take_notes().empty());
  CHECK(head() == second);
  const auto notes = sources->take_notes();
  REQUIRE(notes.size() == 1);
  CHECK_THAT(notes[0], Catch::Contains("is taken as it was fetched last: can't fetch"));
  CHECK_THROWS_WITH(sources->resolve(fixture.app.path(), {.tag = "v9"}, ""), Catch::Contains("can't fetch"));
}

TEST_CASE("a tag that was pushed just now is fetched at once, one that is not there is not asked for again and again",
          "[git]") {
  Fixture fixture;
  fixture.app.commit("a", "1");
  const auto sources = fixture.sources(fixture.fleet.commit("x", "x"));
  const auto tagged = [&](const char* tag) { return sources->resolve(fixture.app.path(), {.tag = tag}, "").commit; };
  sources->resolve(fixture.app.path(), {.branch = "main"}, "");
  fixture.now += std::chrono::seconds(1);
  const std::string second = fixture.app.commit("a", "2");
  fixture.app.git({"tag", "v2"});
  CHECK(tagged("v2") == second);
  fixture.now += std::chrono::seconds(1);
  CHECK_THROWS_WITH(tagged("v3"), Catch::Contains("has no tag \"v3\""));
  fixture.app.git({"tag", "v3"});
  fixture.now += std::chrono::seconds(1);
  CHECK_THROWS_WITH(tagged("v3"), Catch::Contains("has no tag \"v3\""));
  fixture.now += std::chrono::seconds(30);
  CHECK(tagged("v3") == second);
}

TEST_CASE("digests are remembered on disk, and a damaged memory is passed over", "[git]") {
  Fixture fixture;
  const std::string commit = fixture.fleet.commit("a", "content");
  const std::string blob = fixture.fleet.git({"rev-parse", "HEAD:a"});
  fixture.sources(commit)->resolve("self", {}, "");
  const std::string file = fixture.folder / "self.git/holdfast-digests";
  CHECK(read_file(file) == blob + " " + sha256("content") + "\n");
  const std::string marked(64, 'a');
  write_file(file, blob + " " + marked + "\n");
  CHECK(fixture.sources(commit)->resolve("self", {}, "").entries[0].digest == marked);
  write_file(file, blob + " nonsense\n\n" + blob);
  CHECK(fixture.sources(commit)->resolve("self", {}, "").entries[0].digest == sha256("content"));
}

TEST_CASE("a Git LFS pointer is refused, and a submodule is told as one", "[git]") {
  Fixture fixture;
  const std::string first = fixture.fleet.commit("a", "1");
  fixture.fleet.git({"update-index", "--add", "--cacheinfo", "160000," + first + ",lib"});
  fixture.fleet.git({"commit", "-q", "-m", "submodule"});
  const auto sources = fixture.sources(fixture.fleet.git({"rev-parse", "HEAD"}));
  const std::vector<SourceEntry> entries = sources->resolve("self", {}, "").entries;
  REQUIRE(entries.size() == 2);
  CHECK(entries[1].path == "lib");
  CHECK(entries[1].type == EntryType::submodule);
  fixture.fleet.git({"checkout", "-q", first});
  const std::string pointer =
      fixture.fleet.commit("big.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n");
  fixture.fleet.git({"branch", "-f", "main", pointer});
  const auto again = fixture.sources(pointer);
  for (int i = 0; i < 2; ++i) {
    CHECK_THROWS_WITH(again->resolve("self", {}, ""), Catch::Contains("\"big.bin\" is a Git LFS pointer"));
  }
}
