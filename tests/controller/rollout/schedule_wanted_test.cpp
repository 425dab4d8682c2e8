// What becomes of turns when something else is wanted meanwhile.
#include "schedule_scene.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::test;

TEST_CASE("a turn for a commit that is no longer wanted changes nothing", "[schedule]") {
  Polled fleet(1);
  fleet.want("new");
  fleet.poll();
  REQUIRE(fleet.start().size() == 1);
  fleet.want("newer");
  fleet.poll();
  CHECK_FALSE(fleet.may_begin(name_of(0)));
  fleet.end(name_of(0), HostResult::waiting);
  CHECK(fleet.start().size() == 1);
  CHECK(fleet.may_begin(name_of(0)));
}

TEST_CASE("a host that left the environment is forgotten", "[schedule]") {
  Polled fleet(2, {.workers = 1});
  fleet.poll();
  REQUIRE(fleet.start().size() == 1);
  fleet.remove_last();
  fleet.poll();
  fleet.end(name_of(0));
  CHECK(fleet.start().empty());
  CHECK(fleet.schedule().idle());
}

TEST_CASE("in a fleet that takes longer than a poll, no host starves", "[schedule]") {
  Polled fleet(40, {.workers = 4});
  std::set<std::string> served;
  for (int poll = 0; poll < 11; ++poll) {
    fleet.poll();
    for (const std::string& host : fleet.start()) {
      served.insert(host);
      fleet.end(host);
    }
    fleet.pass(1000);
  }
  CHECK(served.size() == 40);
}

TEST_CASE("a turn is overtaken by a desired state that its host may have, and by no other", "[schedule]") {
  Polled fleet(2);
  fleet.want("bad");
  fleet.poll();
  REQUIRE(fleet.start().size() == 1);
  REQUIRE(fleet.may_begin(name_of(0)));
  CHECK_FALSE(fleet.schedule().overtaken(name_of(0)));
  fleet.want("fix");
  SECTION("which waits for something") {
    fleet.wish(0).choice.turn = Turn::enforce;
    fleet.poll();
    CHECK_FALSE(fleet.schedule().overtaken(name_of(0)));
  }
  SECTION("which it takes first, and while it undoes the old one nobody else does") {
    fleet.poll();
    CHECK(fleet.schedule().overtaken(name_of(0)));
    fleet.pass(20'000);
    CHECK(fleet.start().empty());
    fleet.end(name_of(0), HostResult::waiting);
    CHECK(fleet.start() == std::vector<std::string>{name_of(0)});
    CHECK_FALSE(fleet.schedule().overtaken(name_of(0)));
  }
  SECTION("which others try when the undo takes for ever") {
    fleet.poll();
    fleet.pass(31'000);
    CHECK(fleet.start() == std::vector<std::string>{name_of(1)});
  }
  SECTION("which is the one that it had") {
    fleet.wish(0).choice.turn = Turn::steady;
    fleet.poll();
    CHECK(fleet.schedule().overtaken(name_of(0)));
  }
}

TEST_CASE("nobody begins a commit while a host that has it fails a check", "[schedule][late]") {
  Polled fleet(3);
  fleet.want("new");
  fleet.poll();
  REQUIRE(fleet.start() == std::vector<std::string>{name_of(0)});
  REQUIRE(fleet.may_begin(name_of(0)));
  fleet.end(name_of(0), HostResult::deployed);
  fleet.schedule().doubt(true);
  CHECK(fleet.start().empty());
  fleet.schedule().doubt(false);
  CHECK(fleet.start().size() == 2);
  fleet.schedule().doubt(true);
  CHECK_FALSE(fleet.may_begin(name_of(1)));  // also where its turn had begun before
}

TEST_CASE("a host that breaks late stops the rollout, and everybody is looked at again", "[schedule][late]") {
  Polled fleet(3);
  fleet.want("new");
  fleet.poll();
  fleet.start();
  REQUIRE(fleet.may_begin(name_of(0)));
  fleet.end(name_of(0), HostResult::deployed);
  fleet.poll();
  const auto begun = fleet.start();
  REQUIRE(begun.size() == 3);  // the first is looked at, and breaks
  fleet.end(name_of(0), HostResult::held);
  CHECK(fleet.schedule().take_look_again());
  CHECK_FALSE(fleet.schedule().take_look_again());
  CHECK_FALSE(fleet.may_begin(name_of(1)));
}

TEST_CASE("a host that is to go back while it is busy does so when it is not", "[schedule][late]") {
  Polled fleet(2);
  fleet.poll();
  REQUIRE(fleet.start().size() == 2);
  Wish back = fleet.wish(1);
  back.choice.turn = Turn::back;
  fleet.schedule().wish_again({fleet.wish(0), back}, 0);
  CHECK(fleet.start().empty());
  fleet.end(name_of(0));
  CHECK(fleet.start().empty());
  fleet.end(name_of(1));
  CHECK(fleet.start() == std::vector<std::string>{name_of(1)});
  fleet.end(name_of(1), HostResult::deployed);
  CHECK(fleet.start().empty());
}
