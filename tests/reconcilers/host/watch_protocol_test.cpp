// The runner says by itself that something changed on its host.
#include "runner.hpp"
#include "temporary.hpp"

#include <catch2/catch.hpp>

#include <sys/resource.h>

#include <chrono>
#include <thread>

using namespace holdfast;

namespace {

constexpr int soon_ms = 5'000;
constexpr int never_ms = 1'500;

struct Watched {
  Watched() {
    host.directory("/etc").file("/etc/motd", "one");
    host.converge(runner);
    REQUIRE(runner.ask({{"do", "watch"}}).at("watching").at("paths") == Value(2));
    REQUIRE(runner.changed(soon_ms));  // what happened before is not known
  }
  void vandalise(const std::string& text) const { write_file(folder / "etc/motd", text); }
  TemporaryFolder folder{};
  Runner runner{folder.path()};
  Host host{folder.path()};
};

bool names(const std::optional<Value>& changed, const std::string& id) {
  if (!changed) return false;
  for (const Value& one : changed->at("ids").as_list()) {
    if (one == Value(id)) return true;
  }
  return false;
}

/// Of the processor, by all runners of this program that ended.
std::int64_t children_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  return used.ru_utime.tv_sec + used.ru_stime.tv_sec;
}

}  // namespace

TEST_CASE("a host says what changed on it, once for what happens together", "[watch]") {
  Watched watched;
  CHECK_FALSE(watched.runner.changed(never_ms));
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) watched.vandalise("vandal " + std::to_string(i));
  CHECK(names(watched.runner.changed(soon_ms), "file:/etc/motd"));
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(2));
  CHECK_FALSE(watched.runner.changed(never_ms));
  watched.vandalise("again");
  CHECK(names(watched.runner.changed(soon_ms), "file:/etc/motd"));
}

TEST_CASE("who looks wakes nobody, and neither does what is not managed", "[watch]") {
  Watched watched;
  for (int i = 0; i < 3; ++i) watched.host.plan(watched.runner);
  write_file(watched.folder / "etc/other", "x");
  CHECK_FALSE(watched.runner.changed(never_ms));
}

TEST_CASE("a transaction is said once, when it is over, and then what is wanted since is watched", "[watch]") {
  Watched watched;
  watched.host.file("/etc/motd", "two").file("/etc/more", "x");
  watched.host.apply(watched.runner);
  CHECK_FALSE(watched.runner.changed(never_ms));
  watched.host.confirm(watched.runner);
  const auto settled = watched.runner.changed(soon_ms);
  REQUIRE(settled);
  CHECK(settled->at("why") == Value("settled"));
  CHECK_FALSE(watched.runner.changed(never_ms));
  write_file(watched.folder / "etc/more", "vandal");
  CHECK(names(watched.runner.changed(soon_ms), "file:/etc/more"));
}

TEST_CASE("what is said between two requests confuses no answer", "[watch]") {
  Watched watched;
  for (int i = 0; i < 30; ++i) {
    watched.vandalise("vandal " + std::to_string(i));
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    CHECK(watched.runner.ask({{"do", "status"}, {"brief", true}}).find("generation") != nullptr);
  }
  CHECK(watched.runner.changed(soon_ms));
}

TEST_CASE("a host on which managed things change all the time says so once a second at most", "[watch]") {
  const auto before = children_seconds();
  Watched watched;
  int said = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(4);
  while (std::chrono::steady_clock::now() < until) {
    watched.vandalise(std::to_string(said));
    if (watched.runner.changed(1)) ++said;
  }
  CHECK(said >= 2);
  CHECK(said <= 5);
  CHECK(watched.runner.end() == 0);
  CHECK(children_seconds() - before < 3);
}

TEST_CASE("a removed folder is said, and a watch that nobody asked for says nothing", "[watch]") {
  SECTION("removed") {
    Watched watched;
    std::filesystem::remove_all(watched.folder / "etc");
    CHECK(names(watched.runner.changed(soon_ms), "file:/etc/motd"));
  }
  SECTION("not asked for") {
    TemporaryFolder folder;
    Runner runner(folder.path());
    Host host(folder.path());
    host.directory("/etc").file("/etc/motd", "one");
    host.converge(runner);
    write_file(folder / "etc/motd", "vandal");
    CHECK_FALSE(runner.changed(never_ms));
  }
}
