// The host, the history and the state tell one truth after the controller was killed: the real program dies at a
// failpoint, and the next turn asks the host.
#include "scene.hpp"

#include <reconcilers/failpoint.hpp>

using namespace holdfast;

namespace {

/// A host with a verified state, and a second commit on which the program was killed.
struct Killed {
  Scene fleet{};
  std::string good{};
  std::string second{};

  explicit Killed(const std::string& failpoint, const std::string& second_text = "two") {
    fleet.write("motd.yaml", motd("good one") + check(fleet, "a", "good"));
    good = fleet.commit("first");
    REQUIRE(fleet.result() == HostResult::deployed);
    fleet.write("motd.yaml", motd(second_text) + check(fleet, "a", "good"));
    second = fleet.commit("second");
    INFO(fleet.output());
    REQUIRE(fleet.run_program("apply test", failpoint + " kill") == 137);
    REQUIRE(newest().outcome == Outcome::running);
  }
  Deployment newest() { return fleet.store().deployments("test", "", 1).at(0); }
  std::size_t count() { return fleet.store().deployments("test", "", 100).size(); }
  HostRecord host() { return *fleet.store().host("test", "a"); }
};

}  // namespace

TEST_CASE("what the host undid while no controller was there is told as rolled back, held, and not tried again",
          "[truth]") {
  Killed killed("turn.applied", "good two");
  REQUIRE(killed.fleet.read("/etc/motd") == "good two\n");
  REQUIRE(killed.fleet.run_runner("recover --now " + killed.newest().transaction) == 0);
  REQUIRE(killed.fleet.read("/etc/motd") == "good one\n");

  CHECK(killed.fleet.result() == HostResult::rolled_back);
  CHECK(killed.newest().outcome == Outcome::rolled_back);
  CHECK_FALSE(killed.newest().reason.empty());
  CHECK(killed.host().state == "held");
  CHECK(killed.host().live_commit == killed.good);
  REQUIRE(killed.fleet.store().holds("test").size() == 1);
  CHECK(killed.fleet.store().holds("test")[0].commit == killed.second);
  const std::size_t count = killed.count();
  CHECK(killed.fleet.result() == HostResult::held);
  CHECK(killed.fleet.read("/etc/motd") == "good one\n");
  CHECK(killed.count() == count);
}

TEST_CASE("a repair that was cut off is tried again, but not for ever", "[truth]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("good") + check(fleet, "a", "good"));
  const std::string good = fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
  const auto cut_off = [&fleet] {
    std::ofstream(fleet.root("a") / "etc/motd") << "drifted, and still good\n";
    REQUIRE(fleet.run_program("apply test", "turn.applied kill") == 137);
    const Deployment newest = fleet.store().deployments("test", "", 1).at(0);
    REQUIRE(newest.cause == "drift");
    REQUIRE(fleet.run_runner("recover --now " + newest.transaction) == 0);
    REQUIRE(fleet.read("/etc/motd") == "drifted, and still good\n");
  };

  SECTION("the next turn puts it right") {
    cut_off();
    CHECK(fleet.result() == HostResult::repaired);
    CHECK(fleet.read("/etc/motd") == "good\n");
    CHECK(fleet.store().holds("test").empty());
    CHECK(fleet.store().deployments("test", "", 2).at(1).outcome == Outcome::rolled_back);
  }
  SECTION("also where the drift could not be brought back") {
    std::ofstream(fleet.root("a") / "etc/motd") << "drifted, and still good\n";
    REQUIRE(fleet.run_program("apply test", "turn.applied kill") == 137);
    std::ofstream failpoints(fleet.root("a") / "var/lib/holdfast/failpoints");
    for (int i = 0; i < 20; ++i) failpoints << "recover:undo.begun error:EIO\n";
    failpoints.close();
    REQUIRE(fleet.run_runner("recover --now " + fleet.store().deployments("test", "", 1).at(0).transaction) == 0);
    CHECK(fleet.result() == HostResult::unchanged);  // what was put right is in place still
    CHECK(fleet.store().deployments("test", "", 1).at(0).outcome == Outcome::rollback_failed);
    CHECK(fleet.store().holds("test").empty());
    CHECK(fleet.read("/etc/motd") == "good\n");
  }
  SECTION("what never gets through is held") {
    for (int i = 0; i < 11; ++i) cut_off();
    CHECK(fleet.result() == HostResult::rolled_back);
    REQUIRE(fleet.store().holds("test").size() == 1);
    CHECK(fleet.store().holds("test")[0].commit == good);
  }
}

TEST_CASE("what the host undid for a commit that is not wanted any more is held too, and the wanted one goes out",
          "[truth]") {
  Killed killed("turn.applied", "good two");
  REQUIRE(killed.fleet.run_runner("recover --now " + killed.newest().transaction) == 0);
  killed.fleet.write("motd.yaml", motd("good three"));
  killed.fleet.commit("third");
  CHECK(killed.fleet.result() == HostResult::deployed);
  CHECK(killed.fleet.read("/etc/motd") == "good three\n");
  CHECK(killed.fleet.store().deployments("test", "", 2).at(1).outcome == Outcome::rolled_back);
  REQUIRE(killed.fleet.store().holds("test").size() == 1);
  CHECK(killed.fleet.store().holds("test")[0].commit == killed.second);
}

TEST_CASE("what the host never began is told as nothing done, and tried again in the same turn", "[truth]") {
  Killed killed("turn.begun", "good two");
  CHECK(killed.fleet.read("/etc/motd") == "good one\n");
  CHECK(killed.fleet.result() == HostResult::deployed);
  const auto history = killed.fleet.store().deployments("test", "", 10);
  REQUIRE(history.size() == 3);
  CHECK(history[1].outcome == Outcome::failed);
  CHECK(history[1].reason.find("nothing was done") != std::string::npos);
  CHECK(history[0].outcome == Outcome::deployed);
  CHECK(killed.fleet.store().holds("test").empty());
}

TEST_CASE("a request that was never begun can't begin after the host was asked for it", "[truth]") {
  Killed killed("turn.begun", "good two");
  const std::string id = killed.newest().transaction;
  const fs::path folder = killed.fleet.root("a") / "var/lib/holdfast/transactions" / id;
  REQUIRE_FALSE(fs::exists(folder));
  REQUIRE(killed.fleet.result() == HostResult::deployed);
  // What a connection of the dead controller may still hold: an apply with its old epoch.
  Host host;
  host.name = "a";
  host.connection = "local";
  host.root = killed.fleet.root("a").string();
  ConnectOptions connect;
  connect.runner = HOLDFAST_HOST_PROGRAM;
  SessionPool sessions(connect);
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto client = sessions.fresh(host, deadline);
  Bundle bundle;
  bundle.wanted.push_back({.id = {PrimitiveType::directory, "/stray"}, .attributes = {{"present", true}}});
  const Plan plan = client->plan(bundle, {}, deadline).plan;
  const TransactionReply reply = client->apply({.transaction = id,
                                                .epoch = 2,
                                                .bundle_digest = plan.bundle_digest,
                                                .plan_digest = plan.digest,
                                                .commit = killed.second},
                                               {}, deadline);
  CHECK(reply.state == "refused");
  CHECK_FALSE(fs::exists(killed.fleet.root("a") / "stray"));
}

TEST_CASE("a confirmation that only the host knows of is told as deployed", "[truth]") {
  Killed killed("turn.confirmed", "good two");
  const Deployment before = killed.newest();
  CHECK(killed.fleet.result() == HostResult::unchanged);
  CHECK(killed.newest().id == before.id);
  CHECK(killed.newest().outcome == Outcome::deployed);
  CHECK(killed.host().live_commit == killed.second);
  CHECK(killed.host().state == "converged");
}

TEST_CASE("a confirmation that only the host knows of counts where something else is wanted by now", "[truth]") {
  Killed killed("turn.confirmed", "good two");
  killed.fleet.write("motd.yaml", motd("bad three") + check(killed.fleet, "a", "good"));
  killed.fleet.commit("third");
  CHECK(killed.fleet.result() == HostResult::rolled_back);
  CHECK(killed.fleet.read("/etc/motd") == "good two\n");
  CHECK(killed.host().live_commit == killed.second);
  CHECK(killed.fleet.store().deployments("test", "", 2).at(1).outcome == Outcome::deployed);
  CHECK(killed.fleet.said().find("rolled back to " + killed.second.substr(0, 12) + ", which is healthy again") !=
        std::string::npos);
}

TEST_CASE("a rollback that was not written down is, and its commit stays undone", "[truth]") {
  for (const char* failpoint : {"turn.undone", "turn.held"}) {
    INFO(failpoint);
    Killed killed(failpoint, "bad two");
    CHECK(killed.fleet.read("/etc/motd") == "good one\n");
    const HostResult result = killed.fleet.result();
    CHECK((result == HostResult::rolled_back || result == HostResult::held));
    CHECK(killed.newest().outcome == Outcome::rolled_back);
    CHECK(killed.fleet.store().holds("test").size() == 1);
    CHECK(killed.fleet.result() == HostResult::held);
    CHECK(killed.count() == 2);
  }
}

TEST_CASE("a transaction that is pending when its controller dies is judged by the next one", "[truth]") {
  Killed killed("turn.applied", "bad two");
  const Deployment before = killed.newest();
  CHECK(killed.fleet.result() == HostResult::rolled_back);
  CHECK(killed.newest().id == before.id);
  CHECK(killed.newest().outcome == Outcome::rolled_back);
}

TEST_CASE("contact that is lost while an open transaction is settled leaves it unknown, and the next turn asks", "[truth]") {
  Killed killed("turn.applied", "good two");
  std::ofstream(killed.fleet.root("a") / "var/lib/holdfast/failpoints") << "serve:confirm.written kill\n";
  CHECK(killed.fleet.result() == HostResult::unknown);
  CHECK(killed.newest().outcome == Outcome::unknown);
  CHECK(killed.fleet.result() == HostResult::unchanged);
  CHECK(killed.newest().outcome == Outcome::deployed);
  CHECK(killed.host().live_commit == killed.second);
}

TEST_CASE("a deployment that a process beside us is at is left to it", "[truth]") {
  Killed killed("turn.applied", "good two");
  const std::string other = killed.newest().process;
  CHECK_FALSE(other.empty());
  bool lives = true;
  killed.fleet.settings().lives = [&](const std::string& process) { return lives && process == other; };
  killed.fleet.settings().patience_ms = 100;
  killed.fleet.begin_again();
  CHECK(killed.fleet.result() == HostResult::busy);
  CHECK(killed.newest().outcome == Outcome::running);
  lives = false;
  CHECK(killed.fleet.result() == HostResult::deployed);
  CHECK(killed.newest().outcome == Outcome::deployed);
}

TEST_CASE("of two processes that begin at the same moment one changes the host, and nothing is refused", "[truth]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
  fleet.write("motd.yaml", motd("two"));
  const std::string second = fleet.commit("second");
  const std::string ours = "us";
  fleet.settings().process = ours;
  fleet.settings().patience_ms = 100;
  fleet.settings().lives = [&](const std::string& process) { return process != ours; };
  fleet.begin_again();

  std::thread other;
  const std::string hit = fleet.folder() / "failpoints.hit";
  const auto begin_other = [&](const std::string& point) {
    other = std::thread([&fleet, point] { CHECK(fleet.run_program("apply test", point + " wait") == 0); });
    REQUIRE(Scene::eventually([&] { return fs::exists(hit); }));
  };
  const auto go_on = [&] {
    std::ofstream(fleet.folder() / "failpoints.go") << "go";
    if (other.joinable()) other.join();
  };
  const auto meet = [&](const std::string& ours_at, const std::string& other_at) {
    bool met = false;
    set_failpoint_hook([&](const char* name) {
      if (ours_at == name && !std::exchange(met, true)) begin_other(other_at);
    });
    const HostResult result = fleet.result();
    set_failpoint_hook({});
    go_on();
    return result;
  };
  SECTION("it had begun when we begin") { CHECK(meet("turn.begin", "turn.applied") == HostResult::busy); }
  SECTION("it had begun when we looked at the host") { CHECK(meet("turn.look", "turn.applied") == HostResult::busy); }
  SECTION("we were done before it begins") {
    begin_other("turn.begin");
    CHECK(fleet.result() == HostResult::deployed);
    go_on();
  }
  CHECK(fleet.read("/etc/motd") == "two\n");
  int deployed = 0;
  for (const Deployment& one : fleet.store().deployments("test", "a", 100)) {
    if (one.commit != second) continue;
    INFO(to_text(one.outcome) << ": " << one.reason);
    deployed += one.outcome == Outcome::deployed ? 1 : 0;
    CHECK((one.outcome == Outcome::deployed || one.reason.find("nothing was done") == 0));
  }
  CHECK(deployed == 1);
  CHECK(fleet.store().host("test", "a")->state == "converged");
  CHECK(fleet.result() == HostResult::unchanged);
}

TEST_CASE("history tells what nobody is at any more as unknown until the host was asked", "[truth]") {
  Killed killed("turn.applied", "good two");
  CHECK(killed.fleet.run_program("history") == 0);
  CHECK(killed.fleet.output().find("unknown") != std::string::npos);
  CHECK(killed.fleet.output().find("running") == std::string::npos);
  CHECK(killed.fleet.run_program("status") == 1);
  CHECK(killed.fleet.output().find("unknown") != std::string::npos);
}

TEST_CASE("a second controller observes until it adopts the host, and then the first one does", "[truth]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  fleet.commit("first");
  REQUIRE(fleet.run_program("apply test") == 0);
  fleet.write("motd.yaml", motd("two"));
  fleet.commit("second");
  CHECK(fleet.run_program(fleet.state_option("second") + "apply test") == 4);
  CHECK(fleet.output().find("kept by the controller") != std::string::npos);
  CHECK(fleet.output().find("holdfast adopt test --host a") != std::string::npos);
  CHECK(fleet.output().find("1 change is pending") != std::string::npos);
  CHECK(fleet.read("/etc/motd") == "one\n");
  CHECK(fleet.run_program(fleet.state_option("second") + "status") == 4);
  CHECK(fleet.output().find("observing") != std::string::npos);

  REQUIRE(fleet.run_program(fleet.state_option("second") + "adopt test") == 0);
  CHECK(fleet.output().find("a: taken over from ") != std::string::npos);
  CHECK(fleet.run_program(fleet.state_option("second") + "apply test") == 0);
  CHECK(fleet.read("/etc/motd") == "two\n");
  CHECK(fleet.run_program("apply test") == 4);
}

TEST_CASE("that a host belongs to another controller is told once, also where a commit waits", "[truth]") {
  Scene fleet;
  const std::string second = fleet.state_option("second");
  fleet.write("motd.yaml", motd("one"));
  fleet.commit("first");
  REQUIRE(fleet.run_program("apply test") == 0);
  fleet.write("environment.yaml", fleet.environment("main") + "  requires: [{command: [\"false\"], on: controller}]\n");
  fleet.commit("second");
  CHECK(fleet.run_program(second + "apply test") == 4);
  CHECK(fleet.output().find("observing: ") != std::string::npos);
  CHECK(fleet.run_program(second + "apply test") == 4);
  CHECK(fleet.output().find("observing: ") == std::string::npos);
  CHECK(fleet.run_program(second + "status") == 4);
  CHECK(fleet.output().find("observing") != std::string::npos);
}

TEST_CASE("a controller stays the same one when its state file is gone", "[truth]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  fleet.commit("first");
  REQUIRE(fleet.run_program(fleet.state_option("second") + "apply test") == 0);
  REQUIRE(fs::remove(fleet.folder() / "second/state.db"));
  CHECK(fleet.run_program(fleet.state_option("second") + "apply test") == 0);
}
