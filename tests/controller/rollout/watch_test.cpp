// The daemon's loop with time turned by hand: a real repository, and a folder as its host.
#include <controller/rollout/root_branch.hpp>
#include <controller/rollout/watch.hpp>
#include <tests/controller/git/git_fixture.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>

using namespace holdfast;
using namespace holdfast::test;

namespace {

constexpr std::int64_t begin_ms = 1'795'248'000'000;

/// A daemon that runs in a thread of its own until the story ends.
class Daemon {
 public:
  Daemon() {
    std::filesystem::create_directories(place_ + "/etc");
    settings_.repository.url = remote.path();
    settings_.state = folder / "state";
    settings_.mirror = child_options();
    std::vector<std::string> counted = {"/bin/sh", "-c", "echo >> " + fetches_ + "; exec \"$0\" \"$@\""};
    std::ranges::move(settings_.mirror.fetch_program, std::back_inserter(counted));
    settings_.mirror.fetch_program = counted;
    clock_ = {.wall_ms = [this] { return begin_ms + now_; },
              .monotonic_ms = [this] { return now_.load(); },
              .sleep_ms =
                  [this](std::int64_t ms) {
                    now_ += ms;
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
                  },
              .random_hex = [] { return std::string("0000abcd"); }};
    ConnectOptions connect;
    connect.runner = HOLDFAST_HOST_PROGRAM;
    sessions_ = std::make_unique<SessionPool>(connect);
    environment("production");
    motd("one");
  }
  ~Daemon() { stop(); }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  void environment(const std::string& name, const std::string& more = "") const {
    remote.commit("deploy/" + name + ".yaml",
                  "apiVersion: holdfast.dev/v1\nkind: Environment\nmetadata: {name: " + name +
                      "}\nspec:\n  track: {branch: main}\n  paths: [deploy/motd]\n" + more +
                      "  health: {window: 2s, interval: 500ms, passes: 1}\n  hosts: [{name: here, connection: local, "
                      "root: " +
                      place_ + "}]\n");
  }
  void motd(const std::string& text) const {
    remote.commit("deploy/motd/motd.yaml",
                  "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: motd}\nspec: {path: /etc/motd, text: \"" +
                      text + "\\n\"}\n");
  }
  void start() {
    stopping_ = false;
    thread_ = std::jthread([this] {
      watch(settings_, *sessions_, *store_, clock_, [this](const Progress& one) { hear(one); },
            {.poll_ms = poll_ms,
             .sweep_ms = sweep_ms,
             .stopping = [this] { return stopping_.load(); },
             .woken = [this] { return wakes_.exchange(0) != 0; }});
    });
  }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void wake() { ++wakes_; }
  void pass(std::int64_t ms) {
    REQUIRE(eventually([this, until = now_ + ms] { return now_ >= until; }));
  }
  [[nodiscard]] bool serves(const std::string& text) const {
    return eventually([&] { return read_file(place_ + "/etc/motd") == text + "\n"; });
  }
  [[nodiscard]] std::size_t fetches() const { return read_file(fetches_).size(); }
  [[nodiscard]] std::int64_t now() const { return now_; }
  void vandalise() const { write_file(place_ + "/etc/motd", "vandal"); }
  /// How often something that begins so was told, at levels that people see.
  [[nodiscard]] std::int64_t heard(const std::string& begin) const {
    const std::scoped_lock lock(mutex_);
    return std::ranges::count_if(heard_, [&](const std::string& one) { return one.starts_with(begin); });
  }
  [[nodiscard]] RootRecord root() const { return root_record(*store_).value_or(RootRecord{}); }
  [[nodiscard]] std::string state() const { return store_->environment("production")->state; }
  static bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 3'000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  TempFolder folder;
  GitRepository remote{folder / "remote"};
  std::int64_t poll_ms = 30'000;
  std::int64_t sweep_ms = 60'000;
  void keep_watch() { settings_.keep_watch = true; }
  [[nodiscard]] std::size_t deployments() const { return store_->deployments("production", "", 100).size(); }

 private:
  void hear(const Progress& one) {
    if (one.level == Progress::Level::detail || one.level == Progress::Level::change) return;
    const std::scoped_lock lock(mutex_);
    heard_.push_back(one.text);
  }

  std::string place_ = folder / "place";
  std::string fetches_ = folder / "fetches";
  ControllerSettings settings_;
  Clock clock_;
  std::unique_ptr<SessionPool> sessions_;
  std::unique_ptr<Store> store_ = Store::open(":memory:");
  std::atomic<std::int64_t> now_ = 0;
  std::atomic<int> wakes_ = 0;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;
  std::jthread thread_;
};

}  // namespace

TEST_CASE("polls are a tenth earlier or later than they are said to be", "[watch]") {
  CHECK(poll_pause_ms(30'000, 0) == 27'000);
  CHECK(poll_pause_ms(30'000, 6'000) == 33'000);
  CHECK(poll_pause_ms(30'000, 6'001) == 27'000);
  for (std::uint32_t random = 0; random < 40'000'000; random += 99'991) {
    CHECK(poll_pause_ms(30'000, random) >= 27'000);
    CHECK(poll_pause_ms(30'000, random) <= 33'000);
  }
  CHECK(poll_pause_ms(5, 77) == 5);
}

TEST_CASE("a repository that does not answer is stale after three polls, told once, and drift is repaired", "[watch]") {
  Daemon daemon;
  daemon.start();
  REQUIRE(daemon.serves("one"));
  std::filesystem::rename(daemon.remote.path(), daemon.folder / "away");
  const std::int64_t away = daemon.now();
  daemon.pass(50'000);
  CHECK(daemon.root().stale_ms == 0);
  CHECK(daemon.heard("source stale") == 0);
  REQUIRE(Daemon::eventually([&] { return daemon.root().stale_ms != 0; }));
  CHECK(daemon.root().stale_ms >= begin_ms + away);
  CHECK(daemon.root().stale_ms < begin_ms + away + 40'000);
  CHECK(daemon.root().stale_detail.find("there is no directory") != std::string::npos);
  daemon.vandalise();
  CHECK(daemon.serves("one"));
  daemon.pass(200'000);
  CHECK(daemon.heard("source stale since 2026-11-21") == 1);
  CHECK(daemon.heard("stale:") == 0);
  CHECK(daemon.state() == "stale");
  CHECK(daemon.heard("can't fetch") == 0);

  SECTION("also over a restart") {
    daemon.stop();
    daemon.start();
    daemon.vandalise();
    CHECK(daemon.serves("one"));
    CHECK(daemon.root().stale_ms != 0);
    CHECK(daemon.heard("can't fetch") == 1);
  }
  std::filesystem::rename(daemon.folder / "away", daemon.remote.path());
  daemon.motd("two");
  CHECK(daemon.serves("two"));
  CHECK(daemon.root().stale_ms == 0);
  CHECK(daemon.heard("the repository answers again, after ") == 1);
  CHECK(daemon.state() == "following");
}

TEST_CASE("who is woken polls before it is due, once a second at most", "[watch]") {
  Daemon daemon;
  daemon.poll_ms = 1'000'000'000;
  daemon.start();
  REQUIRE(daemon.serves("one"));
  daemon.motd("two");
  daemon.wake();
  REQUIRE(daemon.serves("two"));
  const std::size_t before = daemon.fetches();
  const std::int64_t begun = daemon.now();
  while (daemon.now() - begun < 20'000) {
    daemon.wake();
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  CHECK(daemon.fetches() - before <= static_cast<std::size_t>((daemon.now() - begun) / 1000 + 1));
  CHECK(daemon.fetches() - before > 2);
}

TEST_CASE("a root branch that is rewritten, deleted, broken or emptied leaves the environments as they were",
          "[watch]") {
  Daemon daemon;
  daemon.environment("production", "  vars: {word: good}\n");
  daemon.motd("${word}");
  daemon.start();
  REQUIRE(daemon.serves("good"));
  std::string state;
  std::string words;
  const std::string before = daemon.remote.git({"rev-parse", "HEAD"});
  std::function<void()> mend = [&] { daemon.remote.git({"checkout", "-q", "-B", "main", before}); };
  SECTION("rewritten") {
    daemon.remote.git({"checkout", "-q", "--orphan", "other"});
    daemon.environment("production", "  vars: {word: evil}\n");
    daemon.remote.git({"branch", "-f", "main", "other"});
    state = "rewritten";
    words = "does not descend from";
  }
  SECTION("deleted") {
    daemon.remote.git({"checkout", "-q", "-b", "other"});
    daemon.remote.git({"branch", "-D", "main"});
    state = "lost";
    words = "is not in";
  }
  SECTION("broken") {
    daemon.remote.git({"rm", "-q", "deploy/production.yaml"});
    write_file(daemon.remote.path() + "/deploy/production.yaml",
               "apiVersion: holdfast.dev/v1\nkind: Environment\nx: 1\n");
    daemon.motd("half of a commit");
    mend = [&] { daemon.environment("production", "  vars: {word: good}\n"); };
    state = "refused";
    words = "deploy/production.yaml:3";
  }
  SECTION("emptied") {
    daemon.remote.git({"rm", "-rq", "deploy"});
    daemon.remote.commit("README", "nothing");
    mend = [&] { daemon.environment("production"); };
    state = "refused";
    words = "has no environment any more";
  }
  REQUIRE(Daemon::eventually([&] { return daemon.root().state == state; }));
  INFO(daemon.root().detail);
  CHECK(daemon.root().detail.find(words) != std::string::npos);
  CHECK(daemon.root().policy == before);
  daemon.vandalise();
  CHECK(daemon.serves("good"));
  daemon.stop();
  daemon.start();
  daemon.vandalise();
  CHECK(daemon.serves("good"));
  CHECK(daemon.root().policy == before);

  mend();
  daemon.motd("mended");
  CHECK(daemon.serves("mended"));
  CHECK(daemon.root().state == "following");
}

TEST_CASE("drift is put right as soon as its host says so, and the repair wakes nobody again and again", "[watch]") {
  Daemon daemon;
  daemon.poll_ms = daemon.sweep_ms = 1'000'000'000;
  daemon.keep_watch();
  daemon.start();
  REQUIRE(daemon.serves("one"));
  REQUIRE(Daemon::eventually([&] { return daemon.heard("deployed") == 1; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  daemon.vandalise();
  CHECK(daemon.serves("one"));
  REQUIRE(Daemon::eventually([&] { return daemon.heard("repaired") == 1; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(3'000));
  CHECK(daemon.deployments() == 2);
}

TEST_CASE("a sweep finds drift though the repository is asked for nothing", "[watch]") {
  Daemon daemon;
  daemon.poll_ms = 1'000'000'000;
  daemon.start();
  REQUIRE(daemon.serves("one"));
  REQUIRE(Daemon::eventually([&] { return daemon.heard("deployed") == 1; }));
  daemon.vandalise();
  CHECK(daemon.serves("one"));
}
