// The controller's state is lost, damaged or old: what matters of it is learned from the hosts, without touching them.
#include "scene.hpp"

using namespace holdfast;

namespace {

/// A good commit live, a bad one held, all by the real program.
struct Held {
  Scene fleet{};
  std::string good{};
  std::string bad{};
  fs::path state{};

  Held() {
    fleet.write("motd.yaml", motd("good one") + check(fleet, "a", "good"));
    good = fleet.commit("good");
    REQUIRE(fleet.run_program(fleet.state_option("lost") + "apply test") == 0);
    fleet.write("motd.yaml", motd("bad one") + check(fleet, "a", "good"));
    bad = fleet.commit("bad");
    REQUIRE(fleet.run_program(fleet.state_option("lost") + "apply test") == 3);
    state = fleet.folder() / "lost";
  }
  int apply() { return fleet.run_program(fleet.state_option("lost") + "apply test"); }
  [[nodiscard]] std::size_t transactions() const {
    std::size_t count = 0;
    for (const auto& one : fs::directory_iterator(fleet.root("a") / "var/lib/holdfast/transactions")) {
      count += one.is_directory() ? 1 : 0;
    }
    return count;
  }
  bool says(const std::string& text) { return fleet.output().find(text) != std::string::npos; }
};

}  // namespace

TEST_CASE("a commit that was rolled back stays held when the state file was deleted", "[lost]") {
  Held held;
  const std::size_t before = held.transactions();
  REQUIRE(fs::remove(held.state / "state.db"));
  CHECK(held.apply() == 3);
  INFO(held.fleet.output());
  CHECK(held.says("learned from the host's own records"));
  CHECK(held.transactions() == before);
  CHECK(held.fleet.read("/etc/motd") == "good one\n");
  const auto store = Store::open(held.state / "state.db");
  const HostRecord host = *store->host("test", "a");
  CHECK(host.state == "held");
  CHECK(host.live_commit == held.good);
  REQUIRE(store->holds("test").size() == 1);
  CHECK(store->holds("test")[0].commit == held.bad);
  const auto history = store->deployments("test", "a", 10);
  REQUIRE(history.size() == 2);
  CHECK(history[0].outcome == Outcome::rolled_back);
  CHECK(history[0].cause == "rebuilt");
  CHECK(history[1].outcome == Outcome::deployed);

  SECTION("while it is held, drift is repaired as before") {
    std::ofstream(held.fleet.root("a").string() + "/etc/motd") << "vandal";
    CHECK(held.apply() == 3);
    CHECK(held.fleet.read("/etc/motd") == "good one\n");
  }
  SECTION("a retry tries it again, and holds it again") {
    REQUIRE(held.fleet.run_program(held.fleet.state_option("lost") + "retry test") == 0);
    CHECK(held.apply() == 3);
    CHECK(held.transactions() == before + 1);
  }
  SECTION("a fix goes out") {
    held.fleet.write("motd.yaml", motd("good two") + check(held.fleet, "a", "good"));
    held.fleet.commit("fix");
    CHECK(held.apply() == 0);
    CHECK(held.fleet.read("/etc/motd") == "good two\n");
  }
}

TEST_CASE("a damaged state file is kept aside and rebuilt", "[lost]") {
  Held held;
  const std::size_t before = held.transactions();
  SECTION("it is no database") { std::ofstream(held.state / "state.db") << std::string(8192, 'x'); }
  SECTION("it was cut off") { fs::resize_file(held.state / "state.db", 8192); }
  SECTION("a page of it is garbage") {
    std::fstream file(held.state / "state.db", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(4096, '\xff');
  }
  CHECK(held.apply() == 3);
  INFO(held.fleet.output());
  CHECK(held.says("damaged"));
  CHECK(held.transactions() == before);
  int kept = 0;
  for (const auto& one : fs::directory_iterator(held.state)) {
    kept += one.path().filename().string().starts_with("state.db.damaged-") ? 1 : 0;
  }
  CHECK(kept == 1);
  CHECK(Store::open(held.state / "state.db")->holds("test").size() == 1);
}

TEST_CASE("a state file restored from an old backup learns what it misses", "[lost]") {
  Held held;
  held.fleet.write("motd.yaml", motd("good two") + check(held.fleet, "a", "good"));
  held.fleet.commit("good two");
  fs::copy_file(held.state / "state.db", held.state / "backup.db");
  REQUIRE(held.apply() == 0);
  held.fleet.write("motd.yaml", motd("bad two") + check(held.fleet, "a", "good"));
  const std::string bad = held.fleet.commit("bad two");
  REQUIRE(held.apply() == 3);
  const std::size_t before = held.transactions();
  fs::rename(held.state / "backup.db", held.state / "state.db");
  CHECK(held.apply() == 3);
  INFO(held.fleet.output());
  CHECK(held.transactions() == before);
  CHECK(held.fleet.read("/etc/motd") == "good two\n");
}

TEST_CASE("an older tip is refused, also after the state file was deleted", "[lost]") {
  Held held;
  held.fleet.write("motd.yaml", motd("good two") + check(held.fleet, "a", "good"));
  held.fleet.commit("good two");
  REQUIRE(held.apply() == 0);
  REQUIRE(fs::remove(held.state / "state.db"));
  held.fleet.git("-C repository reset -q --hard " + held.good);
  CHECK(held.apply() == 4);
  INFO(held.fleet.output());
  CHECK(held.fleet.read("/etc/motd") == "good two\n");
  CHECK(held.apply() == 4);
  CHECK(held.fleet.read("/etc/motd") == "good two\n");
}

TEST_CASE("hosts that wait for another one's fix are known again too", "[lost]") {
  Scene fleet({"a", "b"});
  const auto checks = check(fleet, "a", "good") + check(fleet, "b", "good");
  fleet.write("motd.yaml", motd("good one") + checks);
  const std::string good = fleet.commit("good");
  REQUIRE(fleet.run_program(fleet.state_option("lost") + "apply test") == 0);
  fleet.write("motd.yaml", motd("bad one") + checks);
  fleet.commit("bad");
  REQUIRE(fleet.run_program(fleet.state_option("lost") + "apply test") == 3);
  const fs::path state = fleet.folder() / "lost";
  REQUIRE(fs::remove(state / "state.db"));
  for (int i = 0; i < 2; ++i) CHECK(fleet.run_program(fleet.state_option("lost") + "apply test") == 3);
  INFO(fleet.output());
  const auto store = Store::open(state / "state.db");
  CHECK(store->host("test", "a")->live_commit == good);
  CHECK(store->host("test", "b")->live_commit == good);
  for (const char* host : {"a", "b"}) CHECK(fleet.read("/etc/motd", host) == "good one\n");
}
