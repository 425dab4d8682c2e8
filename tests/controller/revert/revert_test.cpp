#include <controller/git/revert.hpp>
#include <controller/plan/kept_plan.hpp>
#include <controller/revert/revert_desk.hpp>
#include <controller/revert/revert_message.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

#include <filesystem>

#include "../git/git_fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;
namespace fs = std::filesystem;

namespace {

std::string environment_text(const std::string& more) {
  return "apiVersion: holdfast.dev/v1\nkind: Environment\nmetadata: {name: production}\nspec:\n  track: {branch: "
         "main}\n"
         "  hosts: [{name: web, connection: local, root: /nonexistent}]\n" +
         more;
}

/// A fleet's repository, its mirror, and a state in which commits can fail.
struct Scene {
  TempFolder folder{};
  GitRepository source{folder / "source"};
  std::unique_ptr<Store> store = Store::open(folder / "state.sqlite");
  std::int64_t now_ms = 1'700'000'000'000;
  std::vector<std::string> told{};
  ControllerSettings settings{};
  Clock clock{.wall_ms = [this] { return now_ms; }, .monotonic_ms = [this] { return now_ms; }};

  Scene() {
    settings.repository.url = source.path();
    settings.state = folder / "state";
    settings.mirror = child_options();
    policy("");
    source.commit("deploy/a.txt", "one\n");
    store->put_environment({.name = "production", .tracked = "branch main"});
  }
  void policy(const std::string& more) { accept(source.commit("deploy/environment.yaml", environment_text(more))); }
  void accept(const std::string& commit) {
    store->put_note("root branch", to_json(Map{{"policy", commit}, {"state", "following"}}));
  }
  [[nodiscard]] std::string head() const { return source.git({"rev-parse", "HEAD"}); }
  void fetch() const { open_mirror(settings)->fetch(in_seconds(60)); }

  /// A deployment of the commit on the host came to that end, and is held.
  std::int64_t fail(const std::string& commit, const std::string& from, Outcome outcome = Outcome::rolled_back,
                    const std::string& cause = "commit") {
    const std::int64_t id = store->begin_deployment({.environment = "production",
                                                     .host = "web",
                                                     .transaction = "t1",
                                                     .commit = commit,
                                                     .from_commit = from,
                                                     .cause = cause,
                                                     .begun_ms = now_ms});
    TransactionResult result;
    result.checks = {{"answers", false, "expected 200, found 500", 10}, {"runs", true, "", 5}};
    store->put_result(id, keep_result(result));
    store->add_event(id, now_ms, "app.service | panic: no database\nSigned-off-by: nobody");
    store->put_hold({.environment = "production", .host = "web", .bundle = "b", .commit = commit, .deployment = id});
    store->end_deployment(id, outcome, "answers: expected 200, found 500", now_ms);
    now_ms += 10'000;
    return id;
  }
  RevertDesk desk() {
    return {settings, *store, clock, [this](const Progress& one) { told.push_back(one.text); }};
  }
  [[nodiscard]] std::string branches() const {
    return source.git({"branch", "--list", "--format=%(refname:short)", "holdfast/*"});
  }
};

std::string branch_of(const std::string& commit) { return "holdfast/revert-" + commit.substr(0, 12); }

}  // namespace

TEST_CASE("what was rolled back gets a branch with its revert, and the evidence in the message", "[revert]") {
  Scene scene;
  const std::string good = scene.head();
  const std::string beside = scene.source.commit("deploy/b.txt", "beside\n");
  const std::string bad = scene.source.commit("deploy/a.txt", "bad\n");
  scene.source.commit("deploy/c.txt", "later\n");
  scene.fetch();
  const std::int64_t id = scene.fail(bad, good);
  RevertDesk desk = scene.desk();
  CHECK(desk.turn() < 60'000);
  REQUIRE(scene.branches() == branch_of(bad));
  CHECK(scene.source.git({"rev-parse", branch_of(bad) + "^"}) == scene.head());
  CHECK(scene.source.git({"diff", "--name-only", "main", branch_of(bad)}) == "deploy/a.txt");
  CHECK(scene.source.git({"show", branch_of(bad) + ":deploy/a.txt"}) == "one");
  const std::string message = scene.source.git({"log", "-1", "--format=%B", branch_of(bad)});
  CHECK_THAT(message, Catch::StartsWith("Revert \"Change deploy/a.txt\"\n\nThis reverts commit " + bad + ".\n"));
  CHECK_THAT(message, Catch::Contains("host web of environment production"));
  CHECK_THAT(message, Catch::Contains("    answers: expected 200, found 500"));
  CHECK_THAT(message, !Catch::Contains("    runs"));
  CHECK_THAT(message, Catch::Contains("app.service | panic: no database"));
  CHECK_THAT(message, Catch::Contains(beside.substr(0, 12) + " Change deploy/b.txt"));
  const std::string trailers = scene.source.git({"log", "-1", "--format=%(trailers)", branch_of(bad)});
  CHECK_THAT(trailers, Catch::Contains("Rolled-back-to: " + good) && Catch::Contains("Reverts: " + bad));
  CHECK_THAT(trailers, !Catch::Contains("Signed-off-by"));
  CHECK(revert_record(*scene.store, bad)->state == "pushed");
  CHECK_THAT(scene.store->events(id).back().text, Catch::Contains(branch_of(bad)));
  CHECK(scene.told.size() == 1);
}

TEST_CASE("a commit is reverted once, whatever comes: looks, restarts, other hosts, a deleted branch", "[revert]") {
  Scene scene;
  const std::string good = scene.head();
  const std::string bad = scene.source.commit("deploy/a.txt", "bad\n");
  scene.fetch();
  scene.fail(bad, good);
  RevertDesk desk = scene.desk();
  for (int i = 0; i < 5; ++i) desk.turn();
  scene.fail(bad, good);
  desk.turn();
  scene.source.git({"branch", "-D", branch_of(bad)});
  scene.fetch();
  RevertDesk again = scene.desk();
  again.turn();
  CHECK(scene.branches() == "");
  CHECK(scene.told.size() == 1);
}

TEST_CASE("a branch of that name is left as it is, also one that the mirror does not know yet", "[revert]") {
  const bool known = GENERATE(true, false);
  Scene scene;
  const std::string good = scene.head();
  const std::string bad = scene.source.commit("deploy/a.txt", "bad\n");
  if (!known) scene.fetch();
  scene.source.git({"branch", branch_of(bad), good});
  if (known) scene.fetch();
  scene.fail(bad, good);
  RevertDesk desk = scene.desk();
  desk.turn();
  CHECK(scene.source.git({"rev-parse", branch_of(bad)}) == good);
  CHECK(revert_record(*scene.store, bad)->state == "there");
}

TEST_CASE("a revert waits for a remote that is away, is told once, and comes when it is back", "[revert]") {
  Scene scene;
  const std::string good = scene.head();
  const std::string bad = scene.source.commit("deploy/a.txt", "bad\n");
  scene.fetch();
  scene.fail(bad, good);
  fs::rename(scene.source.path(), scene.folder / "away");
  RevertDesk desk = scene.desk();
  const std::int64_t first = desk.turn();
  CHECK(desk.turn() > first);
  CHECK(revert_record(*scene.store, bad)->state == "waiting");
  CHECK(scene.told.size() == 1);
  fs::rename(scene.folder / "away", scene.source.path());
  RevertDesk next = scene.desk();
  next.turn();
  CHECK(scene.branches() == branch_of(bad));
  CHECK(revert_record(*scene.store, bad)->state == "pushed");
}

TEST_CASE("nothing is reverted that was no new commit of people, or where the policy says not to", "[revert]") {
  Scene scene;
  const std::string good = scene.head();
  const std::string bad = scene.source.commit("deploy/a.txt", "bad\n");
  const auto nothing_for = [&] {
    scene.fetch();
    RevertDesk desk = scene.desk();
    desk.turn();
    return scene.branches().empty() && scene.told.empty();
  };
  SECTION("a repair") {
    scene.fail(bad, bad, Outcome::rolled_back, "drift");
    CHECK(nothing_for());
  }
  SECTION("a person's rollback") {
    scene.fail(good, bad, Outcome::rolled_back, "rollback");
    CHECK(nothing_for());
  }
  SECTION("a first deployment") {
    scene.fail(bad, "", Outcome::rolled_back);
    CHECK(nothing_for());
  }
  SECTION("one that was refused") {
    scene.fail(bad, good, Outcome::refused);
    CHECK(nothing_for());
  }
  SECTION("revert: false") {
    scene.fail(bad, good);
    scene.policy("  revert: false\n");
    CHECK(nothing_for());
  }
}

TEST_CASE("a merge is reverted against the line that it was merged into", "[revert]") {
  Scene scene;
  const std::string good = scene.head();
  scene.source.git({"checkout", "-q", "-b", "topic"});
  scene.source.commit("deploy/a.txt", "bad\n");
  scene.source.git({"checkout", "-q", "main"});
  scene.source.commit("deploy/b.txt", "main goes on\n");
  scene.source.git({"merge", "-q", "--no-ff", "-m", "Merge topic", "topic"});
  const std::string bad = scene.head();
  scene.fetch();
  scene.fail(bad, good);
  RevertDesk desk = scene.desk();
  desk.turn();
  CHECK(scene.source.git({"diff", "--name-only", "main", branch_of(bad)}) == "deploy/a.txt");
}

TEST_CASE("where no revert can be made, it says why, and does not fail", "[revert]") {
  Scene scene;
  const std::string good = scene.head();
  const std::string bad = scene.source.commit("deploy/a.txt", "bad\n");
  std::string expected;
  SECTION("the lines were changed again") {
    scene.source.commit("deploy/a.txt", "a fix\n");
    expected = "changed the same lines: deploy/a.txt";
  }
  SECTION("it was taken back already") {
    scene.source.git({"revert", "--no-edit", bad});
    expected = "nothing is left of it";
  }
  SECTION("the branch was rewritten") {
    scene.source.git({"reset", "-q", "--hard", good});
    scene.source.git({"branch", "elsewhere", bad});
    expected = "does not have the commit";
  }
  scene.fetch();
  scene.fail(bad, good);
  RevertDesk desk = scene.desk();
  desk.turn();
  CHECK(scene.branches() == "");
  CHECK(revert_record(*scene.store, bad)->state == "impossible");
  REQUIRE(scene.told.size() == 1);
  CHECK_THAT(scene.told.front(), Catch::Contains(expected));
}

TEST_CASE("evidence without end is cut in the middle", "[revert]") {
  RevertCase one{.bad = {.id = std::string(40, 'a'), .summary = "x"}};
  one.deployment.outcome = Outcome::rolled_back;
  for (int i = 0; i < 10'000; ++i)
    one.events.push_back({1'700'000'000'000 + i, "line " + std::to_string(i) + " " + std::string(900, 'x')});
  const std::string message = revert_message(one);
  CHECK(message.size() < 24'000);
  CHECK_THAT(message, Catch::Contains("line 0 ") && Catch::Contains("line 9999 ") && Catch::Contains("    ...\n"));
}

TEST_CASE("a revert that the remote does not take is told once, and tried again", "[revert]") {
  Scene scene;
  const std::string good = scene.head();
  const std::string bad = scene.source.commit("deploy/a.txt", "bad\n");
  scene.fetch();
  scene.fail(bad, good);
  const std::string lock = scene.source.path() + "/.git/refs/heads/" + branch_of(bad) + ".lock";
  write_file(lock, "");
  RevertDesk desk = scene.desk();
  desk.turn();
  desk.turn();
  CHECK(revert_record(*scene.store, bad)->state == "waiting");
  CHECK(scene.told.size() == 1);
  fs::remove(lock);
  desk.turn();
  CHECK(scene.branches() == branch_of(bad));
  CHECK(scene.told.size() == 2);
}
