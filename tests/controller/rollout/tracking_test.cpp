// What an environment follows, in repositories made by the real git program.
#include <controller/rollout/tracking.hpp>
#include <tests/controller/git/git_fixture.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::test;

namespace {

/// A remote, its mirror, and an environment that takes what it may.
struct Story {
  TempFolder folder;
  GitRepository remote{folder / "remote"};
  std::unique_ptr<Mirror> mirror = Mirror::open(folder / "mirror.git", {.url = remote.path()}, child_options());
  EnvironmentRecord record{};

  std::string release(const std::string& tag) const {
    const std::string commit = remote.commit("a.txt", tag);
    remote.git({"tag", tag});
    return commit;
  }
  std::string annotated(const std::string& tag) const {
    const std::string commit = remote.commit("a.txt", tag);
    remote.git({"tag", "-a", tag, "-m", tag});
    return commit;
  }
  SourceState look(const Track& track) {
    mirror->fetch(in_seconds(60));
    return follow(track, *mirror, mirror->branch("main").value_or(""), record, std::nullopt);
  }
  SourceState accept(const Track& track) {
    SourceState state = look(track);
    if (state.state == "following") {
      record.accepted = state.target;
      record.accepted_tag = state.tag;
    }
    return state;
  }
};

bool says(const SourceState& state, const std::string& words) {
  INFO(state.state << ": " << state.detail);
  CHECK(state.detail.find(words) != std::string::npos);
  return state.detail.find(words) != std::string::npos;
}

const Track releases = {.tag = "v*"};

}  // namespace

TEST_CASE("the newest release of a pattern is followed, light or annotated", "[tracking]") {
  Story story;
  story.release("v1.9.0");
  const std::string newest = story.annotated("v1.10.0");
  story.release("v1.2.0");
  story.release("v2.0.0-rc.1");
  story.release("other-3.0.0");
  story.release("v4");
  const SourceState state = story.accept(releases);
  CHECK(state.state == "following");
  CHECK(state.target == newest);
  CHECK(state.tag == "v1.10.0");
  const std::string higher = story.release("v1.10.1");
  CHECK(story.accept(releases).target == higher);
  story.release("v1.9.9");
  CHECK(story.accept(releases).target == higher);
  CHECK(story.accept({.tag = "v1.10.0"}).target == newest);
}

TEST_CASE("prereleases are followed only where they are asked for", "[tracking]") {
  Story story;
  const std::string stable = story.release("v1.0.0");
  const std::string candidate = story.release("v1.1.0-rc.2");
  story.release("v1.1.0-rc.1");
  CHECK(story.look(releases).target == stable);
  CHECK(story.look({.tag = "v*", .prereleases = true}).target == candidate);
  CHECK(story.look({.tag = "v*-rc.*"}).target == candidate);
}

TEST_CASE("only tags in the branch's history are releases", "[tracking]") {
  Story story;
  const std::string first = story.release("v1.0.0");
  story.remote.git({"checkout", "-q", "-b", "develop"});
  const std::string elsewhere = story.release("v2.0.0");
  story.remote.git({"checkout", "-q", "main"});
  CHECK(story.look(releases).target == first);
  CHECK(story.look({.branch = "develop", .tag = "v*"}).target == elsewhere);
  const SourceState none = story.look({.branch = "gone", .tag = "v*"});
  CHECK(none.state == "lost");
  says(none, "branch gone is not in the repository");
  REQUIRE(story.accept(releases).target == first);
  story.remote.git({"merge", "-q", "--no-ff", "-m", "merge", "develop"});
  CHECK(story.accept(releases).target == elsewhere);
}

TEST_CASE("a tag that was accepted and moved is refused, until a higher one is there", "[tracking]") {
  Story story;
  const std::string good = story.release("v1.0.0");
  const Track track = GENERATE(Track{.tag = "v*"}, Track{.tag = "v1.0.0"});
  REQUIRE(story.accept(track).target == good);
  story.remote.commit("a.txt", "evil");
  story.remote.git({"tag", "-f", "v1.0.0"});
  const SourceState moved = story.accept(track);
  CHECK(moved.state == "rewritten");
  CHECK(moved.target == good);
  says(moved, "tag v1.0.0 moved to");
  Track allowed = track;
  allowed.allow_rewrites = true;
  CHECK(story.look(allowed).state == "following");
  const std::string next = story.release("v1.1.0");
  if (track.is_pattern()) CHECK(story.accept(track).target == next);
  CHECK(story.accept({.tag = "v1.1.0"}).target == next);
}

TEST_CASE("a deleted tag leaves what it named in force, and no older release takes its place", "[tracking]") {
  Story story;
  story.release("v1.0.0");
  const std::string good = story.release("v1.1.0");
  REQUIRE(story.accept(releases).target == good);
  story.remote.git({"tag", "-d", "v1.1.0"});
  const SourceState lost = story.accept(releases);
  CHECK(lost.state == "lost");
  CHECK(lost.target == good);
  says(lost, "tag v1.1.0 is not in the repository any more");
  story.remote.git({"tag", "-d", "v1.0.0"});
  const SourceState none = story.accept(releases);
  CHECK(none.state == "lost");
  CHECK(none.target == good);
  const std::string next = story.release("v1.2.0");
  CHECK(story.accept(releases).target == next);
}

TEST_CASE("a tag above all others in a rewritten history is refused", "[tracking]") {
  Story story;
  const std::string good = story.release("v1.0.0");
  REQUIRE(story.accept(releases).target == good);
  story.remote.git({"checkout", "-q", "--orphan", "other"});
  story.release("v9.9.9");
  story.remote.git({"branch", "-f", "main", "other"});
  const SourceState state = story.accept(releases);
  CHECK(state.state == "rewritten");
  CHECK(state.target == good);
  says(state, "the root branch was rewritten");
}

TEST_CASE("a version that is as new as the accepted one changes nothing", "[tracking]") {
  Story story;
  const std::string good = story.release("v1.0.0+b");
  REQUIRE(story.accept(releases).target == good);
  story.release("v1.0.0+a");
  story.release("v1.0.0+c");
  const SourceState state = story.accept(releases);
  CHECK(state.state == "following");
  CHECK(state.target == good);
}

TEST_CASE("what the root branch says to follow instead is taken as it is", "[tracking]") {
  Story story;
  const std::string older = story.release("v1.0.0");
  story.release("v1.1.0");
  const std::string head = story.remote.commit("a.txt", "head");
  REQUIRE(story.accept({.branch = "main"}).target == head);
  CHECK(story.look(releases).state == "following");
  REQUIRE(story.accept({.tag = "v1.1.0"}).state == "following");
  CHECK(story.accept({.tag = "v1.0.0"}).target == older);
  CHECK(story.accept({.branch = "main"}).target == head);
}

TEST_CASE("a branch that is deleted, or does not hold what was accepted, keeps what was", "[tracking]") {
  Story story;
  const Track branch = {.branch = "main"};
  const std::string first = story.remote.commit("a.txt", "1");
  const std::string second = story.remote.commit("a.txt", "2");
  REQUIRE(story.accept(branch).target == second);
  story.remote.git({"reset", "-q", "--hard", first});
  CHECK(story.accept(branch).state == "rewritten");
  story.remote.git({"checkout", "-q", "-b", "other"});
  story.remote.git({"branch", "-D", "main"});
  const SourceState lost = story.accept(branch);
  CHECK(lost.state == "lost");
  CHECK(lost.target == second);
}
