#include "../git/git_fixture.hpp"

#include <controller/git/branch_log.hpp>
#include <controller/git/publish.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace holdfast;
using namespace holdfast::test;

TEST_CASE("a repository of many entries is packed, and has them all", "[audit]") {
  const TempFolder folder;
  GitRepository remote(folder / "remote");
  (void)remote.commit("README", "a fleet");
  const auto mirror = Mirror::open(folder / "packed", {.url = remote.path()}, child_options());
  const auto files = [&] {
    return std::stoi(run(
        {"sh", "-c", "find " + mirror->folder() + "/objects -type f ! -path '*/pack/*' ! -path '*/info/*' | wc -l"}));
  };
  std::string tip;
  for (int i = 0; i < 120; ++i) {
    const std::string name = "a/b/" + std::to_string(i);
    tip = write_commit(*mirror, tip, tip, {{.path = name, .content = name}}, name, {.name = "a", .mail = "a@b"});
  }
  keep(*mirror, "refs/own/heads/many", tip);
  CHECK(files() >= 480);
  pack_written(*mirror, 100'000);
  CHECK(files() >= 480);
  pack_written(*mirror, 100);
  CHECK(files() == 0);
  int count = 0;
  const auto log = BranchLog::open(mirror->folder());
  log->walk(tip, [&](const LoggedCommit& one) {
    ++count;
    return !log->blob(log->changes(one.id, 2).at(0).blob, 100).empty();
  });
  CHECK(count == 120);
  CHECK(kept(*mirror, "refs/own/heads/many") == tip);
  CHECK_FALSE(
      write_commit(*mirror, tip, tip, {{.path = "x", .content = "x"}}, "x", {.name = "a", .mail = "a@b"}).empty());
}
