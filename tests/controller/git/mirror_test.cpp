#include <controller/git/mirror.hpp>
#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "git_fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;
namespace fs = std::filesystem;

namespace {

/// A repository and a mirror of it.
struct Pair {
  TempFolder folder{};
  GitRepository source{folder / "source"};
  std::string mirror_folder = folder / "state/mirror.git";

  [[nodiscard]] std::unique_ptr<Mirror> open() const {
    return Mirror::open(mirror_folder, {.url = source.path()}, child_options());
  }
  [[nodiscard]] std::unique_ptr<Mirror> fetched() const {
    auto mirror = open();
    mirror->fetch(in_seconds(60));
    return mirror;
  }
};

std::string what_fetch_says(Mirror& mirror) {
  try {
    mirror.fetch(in_seconds(60));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a fetch brings branches, tags and what people want to know of commits", "[git]") {
  const Pair pair;
  const std::string first = pair.source.commit("a.txt", "one\n");
  pair.source.git({"tag", "light"});
  pair.source.git({"tag", "-a", "v1.0", "-m", "first"});
  pair.source.git({"branch", "feature/x"});
  const std::string second = pair.source.commit("a.txt", "two\n");
  const auto mirror = pair.fetched();
  CHECK(mirror->branch("main") == second);
  CHECK(mirror->branch("feature/x") == first);
  CHECK(mirror->tag("light") == first);
  CHECK(mirror->tag("v1.0") == first);
  CHECK_FALSE(mirror->branch("v1.0").has_value());
  CHECK_FALSE(mirror->branch("../heads/main").has_value());
  CHECK_FALSE(mirror->branch("").has_value());
  const auto commit = mirror->commit(second);
  REQUIRE(commit.has_value());
  CHECK(commit->author == "Ada Lovelace <ada@example.org>");
  CHECK(commit->summary == "Change a.txt");
  CHECK(commit->tree == pair.source.git({"rev-parse", "HEAD^{tree}"}));
  CHECK(std::to_string(commit->time) == pair.source.git({"log", "-1", "--format=%ct"}));
  CHECK_FALSE(mirror->commit(commit->tree).has_value());
}

TEST_CASE("a revision is found by id, branch, tag or abbreviation", "[git]") {
  const Pair pair;
  const std::string first = pair.source.commit("a.txt", "one\n");
  pair.source.git({"tag", "-a", "v1.0", "-m", "first"});
  const auto mirror = pair.fetched();
  CHECK(mirror->resolve(first) == first);
  CHECK(mirror->resolve("main") == first);
  CHECK(mirror->resolve("v1.0") == first);
  CHECK(mirror->resolve(first.substr(0, 7)) == first);
  CHECK_FALSE(mirror->resolve(first.substr(0, 6)).has_value());
  CHECK_FALSE(mirror->resolve(std::string(40, '0')).has_value());
  CHECK_FALSE(mirror->resolve("none").has_value());
}

TEST_CASE("a commit is an ancestor of itself and of what was built on it", "[git]") {
  const Pair pair;
  const std::string first = pair.source.commit("a.txt", "one\n");
  const std::string second = pair.source.commit("a.txt", "two\n");
  pair.source.git({"checkout", "-q", "--orphan", "other"});
  const std::string other = pair.source.commit("a.txt", "other\n");
  const auto mirror = pair.fetched();
  CHECK(mirror->is_ancestor(first, second));
  CHECK(mirror->is_ancestor(first, first));
  CHECK_FALSE(mirror->is_ancestor(second, first));
  CHECK_FALSE(mirror->is_ancestor(first, other));
  CHECK_FALSE(mirror->is_ancestor(std::string(40, '0'), second));
  CHECK_FALSE(mirror->is_ancestor("main", second));
}

TEST_CASE("a forced push is mirrored, and the commit that it dropped can still be read", "[git]") {
  const Pair pair;
  const std::string first = pair.source.commit("a.txt", "one\n");
  const std::string second = pair.source.commit("a.txt", "two\n");
  pair.source.git({"tag", "moved"});
  const auto mirror = pair.fetched();
  pair.source.git({"reset", "-q", "--hard", first});
  const std::string third = pair.source.commit("a.txt", "three\n");
  pair.source.git({"tag", "-f", "moved"});
  mirror->fetch(in_seconds(60));
  CHECK(mirror->branch("main") == third);
  CHECK(mirror->tag("moved") == third);
  CHECK_FALSE(mirror->is_ancestor(second, third));
  CHECK(mirror->tree(second)->read("a.txt", 100) == "two\n");
}

TEST_CASE("a deleted branch disappears, also where a new one has it as its folder", "[git]") {
  const Pair pair;
  pair.source.commit("a.txt", "one\n");
  pair.source.git({"branch", "topic"});
  pair.source.git({"tag", "old"});
  const auto mirror = pair.fetched();
  REQUIRE(mirror->branch("topic").has_value());
  pair.source.git({"branch", "-D", "topic"});
  pair.source.git({"branch", "topic/one"});
  pair.source.git({"tag", "-d", "old"});
  mirror->fetch(in_seconds(60));
  CHECK_FALSE(mirror->branch("topic").has_value());
  CHECK(mirror->branch("topic/one").has_value());
  CHECK_FALSE(mirror->tag("old").has_value());
}

TEST_CASE("an empty repository has no branches and is no error", "[git]") {
  const Pair pair;
  const auto mirror = pair.fetched();
  CHECK_FALSE(mirror->branch("main").has_value());
  pair.source.commit("a.txt", "one\n");
  mirror->fetch(in_seconds(60));
  CHECK(mirror->branch("main").has_value());
}

TEST_CASE("a mirror of another URL, and one that can't be opened, is made anew", "[git]") {
  const Pair pair;
  const std::string first = pair.source.commit("a.txt", "one\n");
  CHECK(pair.fetched()->branch("main") == first);
  const GitRepository other(pair.folder / "other");
  const std::string second = other.commit("b.txt", "two\n");
  const auto moved = Mirror::open(pair.mirror_folder, {.url = other.path()}, child_options());
  CHECK_FALSE(moved->branch("main").has_value());
  moved->fetch(in_seconds(60));
  CHECK(moved->branch("main") == second);
  CHECK_FALSE(moved->commit(first).has_value());
  write_file(pair.mirror_folder + "/HEAD", "nonsense");
  fs::remove_all(pair.mirror_folder + "/objects");
  const auto anew = pair.fetched();
  CHECK(anew->branch("main") == first);
}

TEST_CASE("a mirror whose objects are damaged says so, and is made anew by the next fetch", "[git]") {
  const Pair pair;
  const std::string first = pair.source.commit("a.txt", std::string(5000, 'a') + "\n");
  const auto mirror = pair.fetched();
  SECTION("every object") {
    fs::remove_all(pair.mirror_folder + "/objects/pack");
    fs::create_directory(pair.mirror_folder + "/objects/pack");
  }
  SECTION("bytes of a pack") {
    for (const auto& entry : fs::directory_iterator(pair.mirror_folder + "/objects/pack")) {
      if (entry.path().extension() != ".pack") continue;
      std::string bytes = read_file(entry.path());
      for (std::size_t i = 14; i + 20 < bytes.size(); ++i) bytes[i] = static_cast<char>(~bytes[i]);
      fs::remove(entry.path());
      write_file(entry.path(), bytes);
    }
    CHECK_THROWS_AS(pair.open()->tree(first), Error);
  }
  pair.open()->fetch(in_seconds(60));
  CHECK(pair.open()->tree(first)->read("a.txt", 10'000).has_value());
}

TEST_CASE("damage deep in a mirror is found when it is read, and mended by the next fetch", "[git]") {
  const Pair pair;
  std::string noise;
  unsigned state = 1;
  for (int i = 0; i < 20'000; ++i) noise += static_cast<char>((state = state * 1103515245U + 12345U) >> 16U);
  const std::string first = pair.source.commit("a.bin", noise);
  const std::string blob = pair.source.git({"rev-parse", "HEAD:a.bin"});
  pair.source.git({"rm", "-q", "a.bin"});
  const std::string second = pair.source.commit("b.txt", "two\n");
  pair.fetched()->fetch(in_seconds(60));
  for (const auto& entry : fs::directory_iterator(pair.mirror_folder + "/objects/pack")) {
    if (entry.path().extension() != ".pack") continue;
    std::string bytes = read_file(entry.path());
    bytes[bytes.find(noise.substr(10'000, 50)) + 25] ^= 1;
    fs::remove(entry.path());
    write_file(entry.path(), bytes);
  }
  const auto mirror = pair.open();
  CHECK(mirror->tree(second)->read("b.txt", 100) == "two\n");
  SECTION("by a tree") { CHECK_THROWS_AS(mirror->tree(first)->read("a.bin", 100'000), Error); }
  SECTION("by id") { CHECK_THROWS_AS(mirror->blob(blob, 100'000), Error); }
  mirror->fetch(in_seconds(60));
  CHECK(mirror->tree(first)->read("a.bin", 100'000) == noise);
}

TEST_CASE("a blob that is too large for its reader is no damage", "[git]") {
  const Pair pair;
  const std::string first = pair.source.commit("a.txt", "12345");
  const auto mirror = pair.fetched();
  CHECK_THROWS_AS(mirror->tree(first)->read("a.txt", 1), Error);
  CHECK_THROWS_AS(mirror->blob(std::string(40, '1'), 100), Error);
  CHECK_THROWS_AS(mirror->tree(std::string(40, '1')), Error);
  CHECK_FALSE(fs::exists(pair.mirror_folder + "/holdfast-damaged"));
}

TEST_CASE("configuration of the system, the user and the mirror is not read", "[git]") {
  const Pair pair;
  const std::string first = pair.source.commit("a.txt", "one\n");
  const GitRepository evil(pair.folder / "evil");
  evil.commit("a.txt", "evil\n");
  const auto mirror = pair.open();
  const std::string redirect = "[url \"" + evil.path() + "\"]\n\tinsteadOf = " + pair.source.path() + "\n";
  write_file(pair.folder / "home/.gitconfig", redirect);
  write_file(pair.mirror_folder + "/config", read_file(pair.mirror_folder + "/config") + redirect);
  const std::string home = std::getenv("HOME") == nullptr ? "/" : std::getenv("HOME");
  setenv("HOME", (pair.folder / "home").c_str(), 1);
  mirror->fetch(in_seconds(60));
  setenv("HOME", home.c_str(), 1);
  CHECK(mirror->branch("main") == first);
}

TEST_CASE("forty fetches leave few packs, and everything can still be read", "[git]") {
  const Pair pair;
  const auto mirror = pair.open();
  std::vector<std::string> commits;
  for (int i = 0; i < 43; ++i) {
    commits.push_back(pair.source.commit("a.txt", "version " + std::to_string(i) + "\n"));
    mirror->fetch(in_seconds(60));
  }
  int packs = 0;
  for (const auto& entry : fs::directory_iterator(pair.mirror_folder + "/objects/pack")) {
    packs += entry.path().extension() == ".pack" ? 1 : 0;
  }
  CHECK(packs < 10);
  for (std::size_t i = 0; i < commits.size(); ++i) {
    CHECK(pair.open()->tree(commits[i])->read("a.txt", 100) == "version " + std::to_string(i) + "\n");
  }
}

TEST_CASE("a folder or a repository of somebody else is refused", "[git]") {
  if (geteuid() != 0) {
    WARN("skipped: only root can give files away");
    return;
  }
  const Pair pair;
  pair.source.commit("a.txt", "one\n");
  const auto mirror = pair.fetched();
  SECTION("the mirror's folder") {
    REQUIRE(::chown(pair.mirror_folder.c_str(), 1234, 1234) == 0);
    CHECK_THROWS_WITH(pair.open(), Catch::Contains("belongs to user id 1234"));
  }
  SECTION("a mirror that others can write") {
    REQUIRE(::chmod(pair.mirror_folder.c_str(), 0777) == 0);
    CHECK_THROWS_WITH(pair.open(), Catch::Contains("can be written by others"));
  }
  SECTION("the remote") {
    REQUIRE(::chown((pair.source.path() + "/.git").c_str(), 1234, 1234) == 0);
    CHECK_THAT(what_fetch_says(*mirror), Catch::Contains("belongs to user id 1234"));
  }
}

TEST_CASE("a fetch that fails says of what and why, and changes nothing", "[git]") {
  const Pair pair;
  const std::string first = pair.source.commit("a.txt", "one\n");
  const auto mirror = pair.fetched();
  fs::rename(pair.source.path(), pair.source.path() + ".gone");
  const std::string said = what_fetch_says(*mirror);
  CHECK(said == "can't fetch \"" + pair.source.path() + "\": there is no directory \"" + pair.source.path() + "\"");
  CHECK(mirror->branch("main") == first);
  CHECK_THROWS_WITH(Mirror::open(pair.folder / "x", {.url = "ext::sh"}), Catch::Contains("is refused"));
}

TEST_CASE("a remote that sends too much is cut off", "[git]") {
  const Pair pair;
  std::string noise;
  unsigned state = 1;
  for (int i = 0; i < 300'000; ++i) noise += static_cast<char>((state = state * 1103515245U + 12345U) >> 16U);
  pair.source.commit("noise.bin", noise);
  MirrorOptions options = child_options();
  options.max_fetch_bytes = 100'000;
  const auto mirror = Mirror::open(pair.mirror_folder, {.url = "file://" + pair.source.path()}, options);
  CHECK_THAT(what_fetch_says(*mirror), Catch::Contains("sends more than 100000 bytes"));
  CHECK_FALSE(mirror->branch("main").has_value());
}
