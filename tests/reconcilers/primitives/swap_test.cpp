#include "machine.hpp"

#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>
#include <reconcilers/host/linux_paths.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

namespace holdfast {

namespace fs = std::filesystem;

namespace {

Expected content(const std::string& bytes) { return {.present = true, .content = sha256(bytes)}; }

FileMeta over(const Expected& expected) {
  FileMeta meta;
  meta.over = expected;
  return meta;
}

std::size_t names_in(const TestMachine& machine, const std::string& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(machine.real(folder))) ++count;
  return count;
}

/// Runs `work`, and does `meanwhile` when it comes to that failpoint for the first time.
void at(const std::string& point, const std::function<void()>& meanwhile, const std::function<void()>& work) {
  bool done = false;
  set_failpoint_hook([&](const char* name) {
    if (done || name != point) return;
    done = true;
    meanwhile();
  });
  try {
    work();
  } catch (...) {
    set_failpoint_hook({});
    CHECK(done);
    throw;
  }
  set_failpoint_hook({});
  CHECK(done);
}

/// Not an Error: nothing cleans up after it but destructors, as after a kill not even they.
struct Killed {};

void kill_at(const std::string& point, const std::function<void()>& work) {
  CHECK_THROWS_AS(at(point, [] { throw Killed(); }, work), Killed);
}

}  // namespace

TEST_CASE("what is as expected is replaced and removed, and nothing is left beside it", "[swap]") {
  TestMachine machine;
  machine.write("/srv/a", "old");
  machine.system->write("/srv/a", "new", over(content("old")));
  CHECK(machine.read("/srv/a") == "new");
  machine.system->write("/srv/b", "made", over({}));
  CHECK(machine.read("/srv/b") == "made");
  machine.link("/srv/l", "a");
  machine.system->replace_link("/srv/l", "b", {.present = true, .target = "a"});
  CHECK(machine.system->read_link("/srv/l") == "b");
  CHECK(names_in(machine, "/srv") == 3);
  machine.system->remove_expected("/srv/a", content("new"));
  machine.system->remove_expected("/srv/l", {.present = true, .target = "b"});
  machine.system->remove_expected("/srv/l", {.present = true, .target = "b"});
  CHECK(names_in(machine, "/srv") == 1);
}

TEST_CASE("what is not as expected stays, with everything of it", "[swap]") {
  TestMachine machine;
  machine.write("/srv/a", "theirs", 0640);
  machine.link("/srv/l", "theirs");
  machine.write("/srv/m", "old", 0600);
  System& system = *machine.system;
  const Expected link{.present = true, .target = "old"};
  const Expected mode{.present = true, .content = sha256("old"), .mode = 0644};
  const auto before = machine.snapshot("/srv", false);
  CHECK_THROWS_AS(system.write("/srv/a", "new", over(content("old"))), ChangedByOthers);
  CHECK_THROWS_AS(system.write("/srv/a", "new", over({})), ChangedByOthers);
  CHECK_THROWS_AS(system.write("/srv/l", "new", over(content("old"))), ChangedByOthers);
  CHECK_THROWS_AS(system.write("/srv/gone", "new", over(content("old"))), ChangedByOthers);
  CHECK_THROWS_AS(system.write("/srv/m", "new", over(mode)), ChangedByOthers);
  CHECK_THROWS_AS(system.replace_link("/srv/l", "new", link), ChangedByOthers);
  CHECK_THROWS_AS(system.replace_link("/srv/a", "new", link), ChangedByOthers);
  CHECK_THROWS_AS(system.remove_expected("/srv/a", content("old")), ChangedByOthers);
  CHECK_THROWS_AS(system.remove_expected("/srv/l", link), ChangedByOthers);
  CHECK(machine.snapshot("/srv", false) == before);
}

TEST_CASE("an edit between the last look and the change stays in place", "[swap]") {
  TestMachine machine;
  System& system = *machine.system;
  const auto replace = [&] { system.write("/srv/a", "new", over(content("old"))); };
  SECTION("written in place before") {
    machine.write("/srv/a", "old");
    CHECK_THROWS_AS(at("swap.waiting", [&] { machine.write("/srv/a", "theirs"); }, replace), ChangedByOthers);
    CHECK(machine.read("/srv/a") == "theirs");
  }
  SECTION("written into ours, which stood there for a moment") {
    machine.write("/srv/a", "edited");
    CHECK_THROWS_AS(at("swap.exchanged", [&] { machine.write("/srv/a", "theirs"); }, replace), ChangedByOthers);
    CHECK(machine.read("/srv/a") == "theirs");
  }
  SECTION("renamed over ours, which stood there for a moment") {
    machine.write("/srv/a", "edited");
    const auto rename = [&] {
      machine.write("/srv/theirs", "theirs");
      fs::rename(machine.real("/srv/theirs"), machine.real("/srv/a"));
    };
    CHECK_THROWS_AS(at("swap.exchanged", rename, replace), ChangedByOthers);
    CHECK(machine.read("/srv/a") == "theirs");
  }
  SECTION("made while it was away to be removed") {
    machine.write("/srv/a", "edited");
    const auto remove = [&] { system.remove_expected("/srv/a", content("old")); };
    CHECK_THROWS_AS(at("swap.taken", [&] { machine.write("/srv/a", "theirs"); }, remove), ChangedByOthers);
    CHECK(machine.read("/srv/a") == "theirs");
  }
  CHECK(names_in(machine, "/srv") == 1);
}

TEST_CASE("a file that somebody is writing is not replaced", "[swap]") {
  TestMachine machine;
  machine.write("/srv/a", "old");
  const int writer = ::open(machine.real("/srv/a").c_str(), O_WRONLY | O_APPEND);
  REQUIRE(::write(writer, "", 0) == 0);
  CHECK_THROWS_AS(machine.system->write("/srv/a", "new", over(content("old"))), ChangedByOthers);
  REQUIRE(::write(writer, " and more", 9) == 9);
  ::close(writer);
  CHECK(machine.read("/srv/a") == "old and more");
}

TEST_CASE("whatever a killed swap leaves, nobody's bytes are lost", "[swap]") {
  TestMachine machine;
  System& system = *machine.system;
  const std::vector<std::string> known = {sha256("old"), sha256("new")};
  const auto replace = [&] { system.write("/srv/a", "new", over(content("old"))); };
  machine.write("/srv/a", "old");
  SECTION("before anything is in place") {
    kill_at("swap.waiting", replace);
    CHECK(system.settle_unfinished("/srv/a", known).empty());
    CHECK(machine.read("/srv/a") == "old");
  }
  SECTION("with the saved content beside") {
    kill_at("swap.exchanged", replace);
    CHECK(system.settle_unfinished("/srv/a", known).empty());
    CHECK(machine.read("/srv/a") == "new");
  }
  SECTION("with somebody's edit beside") {
    machine.write("/srv/a", "theirs");
    kill_at("swap.exchanged", replace);
    CHECK(system.settle_unfinished("/srv/a", known).empty());
    CHECK(machine.read("/srv/a") == "theirs");
  }
  SECTION("with somebody's edit beside, and nobody knows what ours is") {
    machine.write("/srv/a", "theirs");
    kill_at("swap.exchanged", replace);
    const std::vector<std::string> kept = system.settle_unfinished("/srv/a", {sha256("old")});
    REQUIRE(kept.size() == 1);
    CHECK(machine.read(kept.front()) == "theirs");
    fs::remove(machine.real(kept.front()));
  }
  SECTION("with somebody's edit beside, and another in place") {
    machine.write("/srv/a", "theirs");
    kill_at("swap.exchanged", replace);
    fs::remove(machine.real("/srv/a"));
    machine.write("/srv/a", "newer");
    const std::vector<std::string> kept = system.settle_unfinished("/srv/a", known);
    REQUIRE(kept.size() == 1);
    CHECK(machine.read("/srv/a") == "newer");
    CHECK(machine.read(kept.front()) == "theirs");
    fs::remove(machine.real(kept.front()));
  }
  SECTION("of a removal, with somebody's edit beside") {
    machine.write("/srv/a", "theirs");
    kill_at("swap.taken", [&] { system.remove_expected("/srv/a", content("old")); });
    CHECK_FALSE(system.stat("/srv/a"));
    CHECK(system.settle_unfinished("/srv/a", known).empty());
    CHECK(machine.read("/srv/a") == "theirs");
  }
  CHECK(names_in(machine, "/srv") == 1);
}

TEST_CASE("no edit of somebody who edits all the time is ever lost", "[swap]") {
  TestMachine machine;
  const std::string path = machine.real("/srv/a");
  const std::string draft = machine.real("/srv/draft");
  machine.write("/srv/a", "0");
  std::atomic<bool> stop{false};
  std::atomic<int> wrote{0};  // the newest edit that is whole
  std::thread editor([&] {
    for (int i = 1; !stop; ++i) {
      std::ofstream(draft) << i;
      fs::rename(draft, path);
      wrote = i;
      if (i % 8 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
  });
  int refused = 0;
  int replaced = 0;
  std::string lost;
  for (int i = 0; i < 3'000 && lost.empty(); ++i) {
    const int newest = wrote;
    const std::string seen = machine.system->read("/srv/a", 100).value_or("none");
    const auto is_lost = [&](const std::string& now) { return now == "none" || (now != "ours" && std::stoi(now) < newest); };
    if (is_lost(seen)) lost = "found " + seen + " after " + std::to_string(newest);
    try {
      machine.system->write("/srv/a", "ours", {.durable = false, .over = content(seen)});
      ++replaced;
    } catch (const ChangedByOthers&) {
      ++refused;
      const std::string now = machine.system->read("/srv/a", 100).value_or("none");
      if (now == "ours" || is_lost(now)) lost = "found " + now + " after a refusal after " + std::to_string(newest);
    }
  }
  stop = true;
  editor.join();
  CHECK(lost == "");
  INFO(replaced << " replaced, " << refused << " refused");
  CHECK(replaced > 0);
  CHECK(refused > 0);
  CHECK(names_in(machine, "/srv") == 1);
}

}  // namespace holdfast
