// Which host's turn begins when, with a clock that is turned by hand and hosts that do as the test says.
#include "schedule_scene.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace holdfast;
using namespace holdfast::test;

TEST_CASE("turns are as many at once as there are workers, and all hosts get one", "[schedule]") {
  Polled fleet(40, {.workers = 8});
  fleet.poll();
  CHECK(fleet.start().size() == 8);
  CHECK(fleet.start().empty());
  fleet.end(name_of(3));
  CHECK(fleet.start() == std::vector<std::string>{name_of(8)});
  CHECK_FALSE(fleet.schedule().idle());
}

TEST_CASE("hosts that keep us waiting hold up the others for no longer than our patience", "[schedule]") {
  Polled fleet(1000);
  const auto dead = names(0, 50);
  fleet.poll();
  CHECK(fleet.run(dead).empty());  // sixteen dead ones stand in front
  std::size_t served = 0;
  for (int i = 0; i < 4; ++i) {
    fleet.pass(2000);
    served += fleet.run(dead).size();
  }
  CHECK(served == 950);
  CHECK(fleet.schedule().running(Lane::slow) + fleet.schedule().running(Lane::swift) == 50);
}

TEST_CASE("hosts that die together cost those behind them a second, once it is known what is usual", "[schedule]") {
  Polled fleet(1000);
  fleet.poll();
  fleet.run({});
  fleet.pass(30'000);
  const auto dead = names(0, 70);
  fleet.poll();
  std::size_t served = 0;
  for (int i = 0; i < 10; ++i) {
    served += fleet.run(dead).size();
    fleet.pass(125);
  }
  CHECK(served == 930);
}

TEST_CASE("where every host takes long, it is not their fault: no more turns are begun at once", "[schedule]") {
  Polled fleet(1000);
  fleet.poll();
  std::vector<std::string> running = fleet.start();
  for (int second = 0; second < 200; ++second) {
    fleet.pass(1000);
    for (std::string& host : fleet.start()) running.push_back(std::move(host));
    if (second % 6 != 5) continue;
    for (const std::string& host : std::exchange(running, {})) fleet.end(host);  // six seconds each
  }
  CHECK(running.size() == 16);
}

TEST_CASE("a host that was slow or dead before stands in front of nobody", "[schedule]") {
  Polled fleet(100);
  const auto slow = names(0, 20);
  fleet.poll();
  fleet.run(slow);
  for (int i = 0; i < 2; ++i) {
    fleet.pass(3000);
    fleet.run(slow);
  }
  for (const std::string& host : slow) fleet.end(host);
  fleet.pass(30'000);
  fleet.poll();
  CHECK(fleet.run(slow).size() == 80);  // at once, although the slow ones come first in the list
  CHECK(fleet.schedule().running(Lane::slow) == 20);
  CHECK(fleet.schedule().running(Lane::swift) == 0);
}

TEST_CASE("a busy host is passed over by the next poll, told once, and gets its turn when it ended", "[schedule]") {
  Polled fleet(3);
  fleet.poll();
  fleet.run(names(0, 1));
  fleet.pass(30'000);
  const auto busy = fleet.poll();
  REQUIRE(busy.size() == 1);
  CHECK(busy[0].host == name_of(0));
  CHECK(fleet.run(names(0, 1)).size() == 2);
  fleet.pass(30'000);
  CHECK(fleet.poll().empty());
  fleet.run(names(0, 1));
  fleet.end(name_of(0));
  CHECK(fleet.start().empty());
  fleet.poll();
  CHECK(fleet.run({}).size() == 3);
}

TEST_CASE("what became wanted while a host was busy is begun as soon as it is free", "[schedule]") {
  Polled fleet(1);
  fleet.poll();
  CHECK(fleet.start().size() == 1);
  fleet.want("new");
  fleet.poll();
  CHECK(fleet.start().empty());
  fleet.end(name_of(0));
  CHECK(fleet.start() == std::vector<std::string>{name_of(0)});
}

TEST_CASE("a dead host is tried less and less, at once when something else is wanted, and for ever", "[schedule]") {
  Polled fleet(1);
  int tries = 0;
  const auto hour = [&] {
    tries = 0;
    for (int poll = 0; poll < 120; ++poll) {
      fleet.poll();
      for (const std::string& host : fleet.start()) {
        ++tries;
        fleet.end(host, HostResult::unreachable);
      }
      fleet.pass(30'000);
    }
  };
  hour();
  CHECK(tries >= 10);
  CHECK(tries <= 16);
  CHECK(fleet.schedule().failures(name_of(0)) == tries);
  hour();
  CHECK(tries >= 8);  // every 375 s at the longest, and polls are 30 s apart

  SECTION("another desired state is a reason to try") {
    fleet.poll();
    (void)fleet.start();
    fleet.end(name_of(0), HostResult::unreachable);
    fleet.poll();
    CHECK(fleet.start().empty());
    fleet.want("new");
    fleet.poll();
    CHECK(fleet.start().size() == 1);
  }
  SECTION("once it answers it is like any other") {
    fleet.pass(400'000);
    fleet.poll();
    CHECK(fleet.start().size() == 1);
    fleet.end(name_of(0));
    CHECK(fleet.schedule().failures(name_of(0)) == 0);
    fleet.poll();
    CHECK(fleet.start().size() == 1);
    CHECK(fleet.schedule().running(Lane::swift) == 1);
  }
}

TEST_CASE("one host takes a new commit first, then all others at once", "[schedule]") {
  Polled fleet(20);
  fleet.want("new");
  fleet.poll();
  CHECK(fleet.start() == std::vector<std::string>{name_of(0)});
  CHECK(fleet.may_begin(name_of(0)));
  fleet.pass(60'000);  // its health is watched; nobody else is asked meanwhile
  CHECK(fleet.start().empty());
  fleet.end(name_of(0), HostResult::deployed);
  CHECK(fleet.start().size() == 16);
}

TEST_CASE("a canary that fails stops the commit, and the others are told to wait", "[schedule]") {
  Polled fleet(5);
  fleet.want("bad");
  fleet.poll();
  (void)fleet.start();
  REQUIRE(fleet.may_begin(name_of(0)));
  fleet.end(name_of(0), HostResult::rolled_back);
  CHECK(fleet.start().empty());
  CHECK(fleet.schedule().take_stopped().size() == 4);
  CHECK(fleet.schedule().idle());
  fleet.schedule().instead({name_of(1), Turn::enforce, "waiting"}, 2'000'000);
  CHECK(fleet.start() == std::vector<std::string>{name_of(1)});

  SECTION("somebody said retry: one host first again") {
    fleet.end(name_of(1));
    fleet.poll();
    CHECK(fleet.start().size() == 1);
  }
}

TEST_CASE("a commit that fails in a wave goes no further", "[schedule]") {
  Polled fleet(40, {.workers = 4});
  fleet.want("bad");
  fleet.poll();
  CHECK(fleet.start().size() == 1);
  REQUIRE(fleet.may_begin(name_of(0)));
  fleet.end(name_of(0), HostResult::deployed);
  const auto wave = fleet.start();
  REQUIRE(wave.size() == 4);
  REQUIRE(fleet.may_begin(wave[0]));
  fleet.end(wave[0], HostResult::rolled_back);
  CHECK_FALSE(fleet.may_begin(wave[1]));  // it has connected and planned, and changes nothing
  CHECK(fleet.start().empty());
  CHECK(fleet.schedule().take_stopped().size() == 35);
}

TEST_CASE("dead hosts in front of the canary hold up a commit for seconds, and one host still goes alone",
          "[schedule]") {
  Polled fleet(1000);
  const auto dead = names(0, 50);
  fleet.want("new");
  fleet.poll();
  std::set<std::string> asked;
  std::vector<std::string> arrived;
  int waited = 0;
  for (; arrived.empty() && waited < 120; ++waited) {
    for (const std::string& host : fleet.start()) {
      asked.insert(host);
      if (!dead.contains(host) && fleet.may_begin(host)) arrived.push_back(host);
    }
    fleet.pass(1000);
  }
  CHECK(waited <= 35);
  CHECK(arrived.size() == 1);
  fleet.pass(60'000);
  CHECK(fleet.start().empty());  // the canary has begun: nobody else is asked until it is done
  fleet.end(arrived[0], HostResult::deployed);
  CHECK(fleet.run(dead, HostResult::deployed).size() >= 900);
}

TEST_CASE("hosts that are known to be dead are no canaries, and a commit does not wait for them", "[schedule]") {
  Polled fleet(100);
  const auto dead = names(0, 50);
  for (int i = 0; i < 50; ++i) fleet.wish(i).unreachable = true;
  fleet.want("new");
  fleet.poll();
  CHECK(fleet.start() == std::vector<std::string>{name_of(50)});
  REQUIRE(fleet.may_begin(name_of(50)));
  fleet.end(name_of(50), HostResult::deployed);
  CHECK(fleet.run(dead, HostResult::deployed).size() == 49);
  CHECK(fleet.schedule().running(Lane::slow) == 50);  // and all of them are tried
}

TEST_CASE("the first host goes first, also where it is busy when the commit arrives", "[schedule]") {
  Polled fleet(3);
  fleet.poll();
  fleet.run({name_of(0)});
  fleet.want("new");
  fleet.poll();
  CHECK(fleet.start().empty());
  SECTION("and answers soon") {
    fleet.pass(500);
    fleet.end(name_of(0));
  }
  SECTION("and repairs something meanwhile") {
    REQUIRE(fleet.may_begin(name_of(0)));
    fleet.pass(4000);
    CHECK(fleet.start().empty());
    CHECK(fleet.schedule().running(Lane::slow) == 1);
    fleet.end(name_of(0), HostResult::repaired);
  }
  CHECK(fleet.start() == std::vector<std::string>{name_of(0)});
}

TEST_CASE("a commit does not wait for a slow host, but for one that was only slower than the others", "[schedule]") {
  Polled fleet(100);
  fleet.poll();
  fleet.run({name_of(0), name_of(1)});
  fleet.pass(1000);
  fleet.end(name_of(1));
  fleet.pass(5000);
  fleet.end(name_of(0));
  fleet.want("new");
  fleet.poll();
  CHECK(fleet.start() == std::vector<std::string>{name_of(1)});
}

TEST_CASE("two hosts that are asked at once can't both be the canary", "[schedule]") {
  Polled fleet(3);
  fleet.want("new");
  fleet.poll();
  REQUIRE(fleet.start().size() == 1);
  fleet.pass(5000);
  REQUIRE(fleet.start() == std::vector<std::string>{name_of(1)});
  CHECK(fleet.may_begin(name_of(1)));
  CHECK_FALSE(fleet.may_begin(name_of(0)));
  fleet.end(name_of(0), HostResult::waiting);
  CHECK(fleet.start().empty());
  fleet.end(name_of(1), HostResult::deployed);
  CHECK(fleet.start().size() == 2);  // the one that was sent back has its turn with the others
}
