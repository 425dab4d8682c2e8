// In which waves the hosts take a commit, with a clock that is turned by hand.
#include <controller/rollout/rollout_note.hpp>
#include <controller/rollout/schedule.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

using Names = std::vector<std::string>;

/// Ten hosts, "0" to "9", that all should become something else.
class Hosts {
 public:
  explicit Hosts(std::vector<std::size_t> waves, std::int64_t pause_ms = 0)
      : rollout{.key = "new", .waves = std::move(waves), .pause_ms = pause_ms} {
    for (int i = 0; i < 10; ++i) wishes.push_back({{std::to_string(i), Turn::advance, "", ""}, "new"});
  }
  void poll() { (void)schedule.poll(rollout, wishes, now); }
  /// Those that begin now and take their place.
  Names begin() {
    Names names;
    for (const Choice& choice : schedule.start(now)) {
      if (schedule.may_begin(choice.host, now)) {
        names.push_back(choice.host);
      } else {
        schedule.ended(choice.host, HostResult::waiting, true, now);
      }
    }
    return names;
  }
  void end(const Names& names, HostResult result = HostResult::deployed) {
    for (const std::string& name : names) schedule.ended(name, result, true, now);
  }

  Rollout rollout;
  std::vector<Wish> wishes{};
  std::int64_t now = 1'000'000;
  Schedule schedule{{}, [] { return 0.5; }};
};

}  // namespace

TEST_CASE("waves are as large as they are said to be, and the last size repeats", "[waves]") {
  Hosts fleet({1, 3});
  fleet.poll();
  for (const Names& wave : {Names{"0"}, Names{"1"}, Names{"2", "3", "4"}, Names{"5", "6", "7"}, Names{"8", "9"}}) {
    CHECK(fleet.begin() == wave);
    CHECK(fleet.begin().empty());
    fleet.end(wave);
  }
  CHECK(fleet.schedule.place().left == 0);
}

TEST_CASE("the next wave begins when every host of the one before is done", "[waves]") {
  Hosts fleet({3});
  fleet.poll();
  fleet.end(fleet.begin());
  const Names wave = fleet.begin();
  REQUIRE(wave.size() == 3);
  fleet.end({wave[0], wave[1]});
  CHECK(fleet.begin().empty());
  fleet.end({wave[2]});
  CHECK(fleet.begin().size() == 3);
}

TEST_CASE("between waves there is a pause, which ends by itself and which a newer commit does not wait for",
          "[waves]") {
  Hosts fleet({3}, 60'000);
  fleet.poll();
  fleet.end(fleet.begin());
  fleet.now += 59'000;
  fleet.poll();
  CHECK(fleet.begin().empty());
  CHECK(fleet.schedule.pausing());
  SECTION("it ends") {
    fleet.now += 1'000;
    const Names wave = fleet.begin();
    CHECK(wave.size() == 3);
    fleet.end(wave);
    CHECK(fleet.begin().empty());
    fleet.now += 60'000;
    CHECK(fleet.begin().size() == 3);
  }
  SECTION("a newer commit begins at once, with its canary") {
    fleet.rollout.key = "newer";
    for (Wish& wish : fleet.wishes) wish.goal = "newer";
    fleet.poll();
    CHECK(fleet.begin().size() == 1);
  }
}

TEST_CASE("a wave that had nothing to change is no reason for a pause", "[waves]") {
  Hosts fleet({3}, 60'000);
  fleet.poll();
  for (const Choice& choice : fleet.schedule.start(fleet.now)) {
    fleet.schedule.ended(choice.host, HostResult::unchanged, true, fleet.now);
  }
  CHECK(fleet.begin().size() == 3);
}

TEST_CASE("a host out of reach takes no place of a wave and holds up none", "[waves]") {
  Hosts fleet({2});
  fleet.poll();
  fleet.end(fleet.begin());
  const std::vector<Choice> asked = fleet.schedule.start(fleet.now);
  REQUIRE(asked.size() == 2);
  fleet.end({"1"}, HostResult::unreachable);
  REQUIRE(fleet.schedule.may_begin("2", fleet.now));
  CHECK(fleet.begin() == Names{"3"});
  fleet.end({"2", "3"});
  CHECK(fleet.begin() == Names{"4", "5"});
}

TEST_CASE("a failure in a wave lets nobody else begin, and where all go back it ends those under way", "[waves]") {
  Hosts fleet({3});
  SECTION("others go on where they are") {}
  SECTION("all go back") { fleet.rollout.all_back = true; }
  const bool all_back = fleet.rollout.all_back;
  fleet.poll();
  fleet.end(fleet.begin());
  const Names wave = fleet.begin();
  REQUIRE(wave.size() == 3);
  fleet.end({wave[0]}, HostResult::rolled_back);
  CHECK(fleet.begin().empty());
  CHECK(fleet.schedule.overtaken(wave[1]) == all_back);
  CHECK(fleet.schedule.take_look_again() == all_back);
  fleet.end({wave[1]});
  CHECK(fleet.schedule.take_look_again() == all_back);  // it has the commit now, and goes back too
}

TEST_CASE("a rollout goes on where it was, with what was left of its pause", "[waves]") {
  Hosts before({3}, 60'000);
  before.poll();
  before.end(before.begin());
  before.now += 60'000;
  const Names wave = before.begin();
  REQUIRE(wave.size() == 3);
  Hosts after({3}, 60'000);
  after.wishes.erase(after.wishes.begin());

  SECTION("in the middle of a wave: who was under way is asked first and takes his place again") {
    after.schedule.remember(before.schedule.place());
    after.poll();
    CHECK(after.begin() == wave);
    CHECK(after.begin().empty());
  }
  SECTION("in a pause") {
    before.end(wave);
    after.schedule.remember(before.schedule.place());
    after.wishes.erase(after.wishes.begin(), after.wishes.begin() + 3);
    after.now = before.now + 59'000;
    after.poll();
    CHECK(after.begin().empty());
    after.now += 1'000;
    CHECK(after.begin() == Names{"4", "5", "6"});
  }
  SECTION("another commit remembers nothing of it") {
    after.schedule.remember(before.schedule.place());
    after.rollout.key = "newer";
    after.poll();
    CHECK(after.begin().size() == 1);
  }
}

TEST_CASE("how far a rollout is survives in the store, and is told in words", "[waves]") {
  const auto store = Store::open(":memory:");
  CHECK_FALSE(rollout_note(*store, "production"));
  RolloutNote note{.commit = "abc", .waves = 4, .since_ms = 1};
  note.place = {.key = "k", .healthy = 1, .wave = 2, .taken = 2, .running = 1, .hosts = {"web3", "web4"}, .left = 7};
  put_rollout_note(*store, "production", note);
  CHECK(rollout_note(*store, "production") == note);
  CHECK(rollout_text(note, 5'000) == "wave 2 of 4: web3, web4; 7 hosts are left");
  note.place.wave = 3;
  note.place.next_ms = 45'000;
  CHECK(rollout_text(note, 5'000) == "wave 2 of 4: web3, web4; next in 40 s; 7 hosts are left");
  note.place.left = 0;
  CHECK(rollout_text(note, 5'000).empty());
  store->put_note("rollout production", "{broken");
  CHECK_FALSE(rollout_note(*store, "production"));
}

TEST_CASE("the waves that are left are counted from where the rollout is", "[waves]") {
  const Rollout rollout{.key = "k", .canary = 1, .waves = {1, 3}};
  CHECK(waves_left(rollout, {.left = 10}) == 4);  // 1, then 1, 3, 3 and 2
  CHECK(waves_left(rollout, {.healthy = 1, .wave = 2, .taken = 2, .left = 6}) == 3);
  CHECK(waves_left(rollout, {.healthy = 1, .wave = 2, .left = 0}) == 0);
}
