#include "../git/git_fixture.hpp"

#include <controller/audit/scribe.hpp>
#include <controller/audit/trail_query.hpp>
#include <controller/audit/verify.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

using namespace holdfast;
using namespace holdfast::test;

namespace {

constexpr std::int64_t day = 86'400'000;
constexpr const char* branch = "refs/heads/holdfast/audit";

struct Died {};

/// A controller with a state of its own beside a remote.
struct Desk {
  explicit Desk(std::string folder, const std::string& url, bool push = true) : state(std::move(folder)) {
    std::filesystem::create_directories(state);
    settings = {.push = push,
                .author = {.name = "holdfast", .mail = "holdfast@example.com"},
                .state = state,
                .remote = {.url = url},
                .mirror = child_options()};
    clock.wall_ms = [this] { return now_ms; };
    clock.monotonic_ms = clock.wall_ms;
    clock.sleep_ms = [](std::int64_t) {};
    clock.random_hex = [] { return std::string("01234567"); };
    begin();
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  /// Another life of the process, with what it left.
  void begin() {
    scribe.reset();
    queue.reset();
    store = Store::open(state + "/state.db");
    queue = AuditQueue::open(state + "/state.db");
    scribe = std::make_unique<Scribe>(settings, *store, *queue, clock, [this](const Progress& one) {
      if (one.level == Progress::Level::bad || one.level == Progress::Level::warning) told.push_back(one.text);
    });
  }
  void deploy(const std::string& host, Outcome outcome = Outcome::deployed, const std::string& commit = "") {
    now_ms += 60'000;
    Deployment d;
    d.environment = "production";
    d.host = host;
    d.transaction = "t-" + std::to_string(now_ms);
    d.commit = commit.empty() ? sha256(host + std::to_string(now_ms)).substr(0, 40) : commit;
    d.from_commit = std::string(40, 'b');
    d.subject = "Change " + host;
    d.cause = outcome == Outcome::repaired ? "drift" : "commit";
    d.requested_by = "holdfast run";
    d.begun_ms = now_ms - 1500;
    const auto id = store->begin_deployment(d);
    store->add_event(id, now_ms - 1000, "applying");
    store->end_deployment(id, outcome, outcome == Outcome::rolled_back ? "not healthy" : "", now_ms);
    now_ms += 5'000;
  }

  std::string state;
  std::int64_t now_ms = 1'795'269'787'000;
  AuditSettings settings{};
  Clock clock{};
  std::unique_ptr<Store> store{};
  std::unique_ptr<AuditQueue> queue{};
  std::unique_ptr<Scribe> scribe{};
  std::vector<std::string> told{};
};

struct Scene {
  TempFolder folder;
  GitRepository remote{folder / "remote"};
  Desk desk{folder / "state", remote.path()};

  Scene() { (void)remote.commit("README", "a fleet"); }
  [[nodiscard]] std::vector<TrailLine> lines(const std::string& reference = branch) const {
    const auto log = BranchLog::open(remote.path());
    const auto tip = log->commit_at(reference);
    if (!tip) return {};
    return trail_lines(*log, *tip, {});
  }
  /// What happened, the oldest first, without the branch's own entries.
  [[nodiscard]] std::vector<std::string> outcomes() const {
    std::vector<std::string> list;
    for (const TrailLine& one : lines()) {
      if (one.entry.kind != "audit") list.push_back(one.entry.outcome + " " + one.entry.hosts.at(0));
    }
    std::ranges::reverse(list);
    return list;
  }
  /// Each entry once, and the chain holds.
  [[nodiscard]] bool is_sound() const {
    std::set<std::string> ids;
    for (const TrailLine& one : lines()) {
      if (!ids.insert(one.entry.id).second) return false;
    }
    const auto log = BranchLog::open(remote.path());
    const TrailVerdict verdict = verify_trail(*log, *log->commit_at(branch));
    for (const TrailProblem& one : verdict.problems) UNSCOPED_INFO(one.number << ": " << one.what);
    return verdict.problems.empty() && verdict.entries == static_cast<std::int64_t>(ids.size());
  }
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("what ended and what people did are commits on the remote's branch, in their order", "[audit][scribe]") {
  Scene scene;
  scene.desk.deploy("web1");
  scene.desk.store->add_audit({.kind = "suspend",
                               .environment = "production",
                               .hosts = {"web2"},
                               .outcome = "suspended",
                               .by = "alice",
                               .reason = "hardware",
                               .at_ms = scene.desk.now_ms});
  scene.desk.deploy("web1", Outcome::rolled_back);
  scene.desk.deploy("web1", Outcome::repaired);
  CHECK(scene.desk.scribe->turn() == 1'000);
  CHECK(scene.outcomes() == Texts{"deployed web1", "suspended web2", "rolled back web1", "repaired web1"});
  CHECK(scene.is_sound());
  CHECK(scene.desk.queue->count() == 0);
  CHECK(scene.remote.git({"log", "-1", "--format=%an <%ae>", branch}) == "holdfast <holdfast@example.com>");
  CHECK(scene.remote.git({"log", "-1", "--format=%(trailers:key=Outcome,valueonly)", branch}).starts_with("repaired"));
  const auto log = BranchLog::open(scene.remote.path());
  const FoundEntry found = find_entry(*log, *log->commit_at(branch), "1");
  CHECK(found.record.entry.record.at("events").as_list().at(0).text_or("text", "") == "applying");
  CHECK(scene.desk.told.empty());
}

TEST_CASE("a deployment waits until what is said right after it is there", "[audit][scribe]") {
  Scene scene;
  scene.desk.deploy("web1");
  scene.desk.now_ms -= 4'000;
  (void)scene.desk.scribe->turn();
  CHECK(scene.outcomes().empty());
  scene.desk.now_ms += 4'000;
  (void)scene.desk.scribe->turn();
  CHECK(scene.outcomes() == Texts{"deployed web1"});
}

TEST_CASE("while the remote is away all waits, is told once, and is written once when it is back", "[audit][scribe]") {
  Scene scene;
  scene.desk.deploy("web1");
  (void)scene.desk.scribe->turn();
  std::filesystem::rename(scene.remote.path(), scene.folder / "away");
  for (int i = 0; i < 5; ++i) {
    scene.desk.deploy("web2");
    CHECK(scene.desk.scribe->turn() >= 1'000);
    scene.desk.begin();
  }
  CHECK(scene.desk.scribe->turn() == 1'000);
  const auto told = scene.desk.told.size();
  CHECK(scene.desk.scribe->turn() == 2'000);
  CHECK(scene.desk.told.size() == told);
  for (int i = 0; i < 10; ++i) CHECK(scene.desk.scribe->turn() <= 60'000);
  CHECK(audit_standing(*scene.desk.store, *scene.desk.queue).waiting == 5);
  CHECK(audit_standing(*scene.desk.store, *scene.desk.queue).failing_since_ms != 0);
  std::filesystem::rename(scene.folder / "away", scene.remote.path());
  CHECK(scene.desk.scribe->turn() == 1'000);
  CHECK(scene.outcomes().size() == 6);
  CHECK(scene.is_sound());
  CHECK(audit_standing(*scene.desk.store, *scene.desk.queue).failing_since_ms == 0);
}

TEST_CASE("whoever is killed while writing loses nothing and writes nothing twice", "[audit][scribe]") {
  for (const std::string point : {"audit.written", "audit.push", "audit.pushed", "audit.kept", "audit.removed"}) {
    INFO(point);
    Scene scene;
    scene.desk.deploy("web1");
    (void)scene.desk.scribe->turn();
    scene.desk.deploy("web2");
    scene.desk.deploy("web3", Outcome::rolled_back);
    bool hit = false;
    set_failpoint_hook([&](const char* name) {
      if (point != name) return;
      hit = true;
      throw Died();
    });
    CHECK_THROWS_AS(scene.desk.scribe->turn(), Died);
    set_failpoint_hook({});
    CHECK(hit);
    scene.desk.begin();
    scene.desk.deploy("web4");
    CHECK(scene.desk.scribe->turn() == 1'000);
    CHECK(scene.outcomes() == Texts{"deployed web1", "deployed web2", "rolled back web3", "deployed web4"});
    CHECK(scene.is_sound());
    CHECK(scene.desk.queue->count() == 0);
  }
}

TEST_CASE("two controllers write to one branch, each behind the other", "[audit][scribe]") {
  Scene scene;
  Desk other{scene.folder / "other", scene.remote.path()};
  other.now_ms += 17;
  for (int i = 0; i < 3; ++i) {
    scene.desk.deploy("web1");
    other.deploy("db1");
    (void)scene.desk.scribe->turn();
    (void)other.scribe->turn();
  }
  scene.desk.deploy("web2");
  other.deploy("db2");
  bool raced = false;
  set_failpoint_hook([&](const char* name) {  // the other one comes between the look and the push
    if (std::string(name) != "audit.push" || std::exchange(raced, true)) return;
    (void)other.scribe->turn();
  });
  CHECK(scene.desk.scribe->turn() == 1'000);
  set_failpoint_hook({});
  CHECK(scene.outcomes().size() == 8);
  CHECK(scene.outcomes().back() == "deployed web2");
  CHECK(scene.is_sound());
  CHECK(scene.desk.told.empty());
  CHECK(other.told.empty());
}

TEST_CASE("a branch that was deleted on the remote is written there again, and that is told", "[audit][scribe]") {
  Scene scene;
  for (int i = 0; i < 3; ++i) scene.desk.deploy("web1");
  (void)scene.desk.scribe->turn();
  scene.remote.git({"update-ref", "-d", branch});
  scene.desk.deploy("web2");
  scene.desk.begin();
  (void)scene.desk.scribe->turn();
  CHECK(scene.outcomes().size() == 4);
  CHECK(scene.is_sound());
  REQUIRE(scene.desk.told.size() == 1);
  CHECK(scene.desk.told[0].find("was deleted on the remote") != std::string::npos);
  CHECK(std::ranges::count(scene.lines(), std::string("audit"), [](const TrailLine& one) { return one.entry.kind; }) ==
        1);
}

TEST_CASE("entries that were cut off on the remote are written there again, and that is told", "[audit][scribe]") {
  Scene scene;
  for (int i = 0; i < 4; ++i) scene.desk.deploy("web1");
  (void)scene.desk.scribe->turn();
  scene.remote.git({"update-ref", branch, std::string(branch) + "~2"});
  scene.desk.deploy("web2");
  (void)scene.desk.scribe->turn();
  (void)scene.desk.scribe->turn();
  CHECK(scene.outcomes().size() == 5);
  CHECK(scene.is_sound());
  REQUIRE(scene.desk.told.size() == 1);
  CHECK(scene.desk.told[0].find("was rewritten on the remote") != std::string::npos);
}

TEST_CASE("behind a rewritten branch all of ours is written again, and the old one is kept", "[audit][scribe]") {
  for (const bool killed : {false, true}) {
    Scene scene;
    for (int i = 0; i < 4; ++i) scene.desk.deploy("web1");
    (void)scene.desk.scribe->turn();
    const std::string before = scene.remote.git({"rev-parse", branch});
    scene.remote.git({"update-ref", branch, std::string(branch) + "~2"});
    Desk forger{scene.folder / "forger", scene.remote.path()};
    forger.now_ms += 3 * day;
    forger.deploy("evil1");
    (void)forger.scribe->turn();
    scene.desk.deploy("web2");
    if (killed) {
      set_failpoint_hook([&](const char* name) {
        if (std::string(name) == "audit.push") throw Died();
      });
      CHECK_THROWS_AS(scene.desk.scribe->turn(), Died);
      set_failpoint_hook({});
      scene.desk.begin();
    }
    (void)scene.desk.scribe->turn();
    CHECK(scene.outcomes().size() == 6);
    CHECK(scene.is_sound());
    CHECK(scene.desk.told.size() == 1);
    CHECK(scene.remote.git({"rev-parse", "refs/heads/holdfast/audit-before-" + before.substr(0, 12)}) == before);
    CHECK(std::ranges::count(scene.lines(), std::string("audit"),
                             [](const TrailLine& one) { return one.entry.kind; }) == 1);
  }
}

TEST_CASE("the fleet's mirror tells that the branch was rewritten, also where nothing waits", "[audit][scribe]") {
  Scene scene;
  const auto mirror = Mirror::open(scene.folder / "mirror", {.url = scene.remote.path()}, child_options());
  scene.desk.settings.mirror_folder = mirror->folder();
  scene.desk.begin();
  scene.desk.deploy("web1");
  scene.desk.deploy("web1");
  (void)scene.desk.scribe->turn();
  mirror->fetch(in_seconds(20));
  (void)scene.desk.scribe->turn();
  CHECK(scene.desk.told.empty());
  scene.remote.git({"update-ref", branch, std::string(branch) + "~1"});
  mirror->fetch(in_seconds(20));
  (void)scene.desk.scribe->turn();
  CHECK(scene.desk.told.size() == 1);
  CHECK(scene.outcomes().size() == 2);
  CHECK(scene.is_sound());
}

TEST_CASE("a controller whose state was lost writes no deployment of its hosts twice", "[audit][scribe]") {
  Scene scene;
  scene.desk.deploy("web1");
  const Deployment past = *scene.desk.store->deployment(1);
  (void)scene.desk.scribe->turn();
  std::filesystem::remove_all(scene.desk.state);
  std::filesystem::create_directories(scene.desk.state);
  scene.desk.begin();
  Deployment learned = past;
  learned.cause = "rebuilt";
  learned.requested_by = "the host's journal";
  (void)scene.desk.store->begin_deployment(learned);
  scene.desk.deploy("web2");
  (void)scene.desk.scribe->turn();
  CHECK(scene.outcomes() == Texts{"deployed web1", "deployed web2"});
  CHECK(scene.is_sound());
  CHECK(scene.desk.told.empty());
}

TEST_CASE("a deployment tells who had approved its revision", "[audit][scribe]") {
  Scene scene;
  const std::string commit(40, 'd');
  scene.desk.store->add_audit({.kind = "approval",
                               .environment = "production",
                               .revision = commit,
                               .outcome = "approved",
                               .by = "alice",
                               .at_ms = scene.desk.now_ms});
  scene.desk.deploy("web1", Outcome::deployed, commit);
  scene.desk.deploy("web2");
  (void)scene.desk.scribe->turn();
  const auto lines = scene.lines();
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].entry.approved_by == Texts{"alice"});
  CHECK(lines[0].entry.approved_by.empty());
}

TEST_CASE("without a push the branch stays beside the controller", "[audit][scribe]") {
  Scene scene;
  scene.desk.settings.push = false;
  scene.desk.begin();
  scene.desk.deploy("web1");
  scene.desk.deploy("web1");
  (void)scene.desk.scribe->turn();
  scene.desk.deploy("web1");
  (void)scene.desk.scribe->turn();
  CHECK(scene.lines().empty());
  CHECK(scene.desk.queue->count() == 0);
  const auto log = BranchLog::open(scene.desk.state + "/audit.git");
  CHECK(trail_lines(*log, trail_tip(*log).commit, {}).size() == 3);
  CHECK(verify_trail(*log, trail_tip(*log).commit).problems.empty());
}

TEST_CASE("a command writes what it left, and says why where it can't", "[audit][scribe]") {
  Scene scene;
  scene.desk.deploy("web1");
  CHECK(scene.desk.scribe->now(20'000));
  CHECK(scene.outcomes() == Texts{"deployed web1"});
  std::filesystem::rename(scene.remote.path(), scene.folder / "away");
  scene.desk.deploy("web2");
  CHECK_FALSE(scene.desk.scribe->now(20'000));
  CHECK_FALSE(scene.desk.scribe->why().empty());
}
