#include <controller/rollout/choice.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

HostView view(const std::string& host, const std::string& wanted, const std::string& live,
              const std::string& state = "") {
  HostView one{.host = host, .wanted = wanted, .commit = "c"};
  one.record.live_bundle = live;
  one.record.state = state;
  return one;
}

Hold hold(const std::string& host, const std::string& bundle) {
  return {.environment = "e", .host = host, .bundle = bundle, .commit = "c", .reason = "health"};
}

}  // namespace

TEST_CASE("a host that has the desired state is steady, another advances", "[rollout]") {
  const auto choices = choose({view("a", "new", "new"), view("b", "new", "old"), view("c", "new", "")}, {});
  REQUIRE(choices.size() == 3);
  CHECK(choices[0].turn == Turn::steady);
  CHECK(choices[1].turn == Turn::advance);
  CHECK(choices[2].turn == Turn::advance);
}

TEST_CASE("a desired state that is held on one host advances on no other", "[rollout]") {
  const auto choices =
      choose({view("a", "new", "old"), view("b", "new", "old"), view("c", "new", "")}, {hold("a", "new")});
  CHECK(choices[0].turn == Turn::enforce);
  CHECK(choices[0].why == "held: health");
  CHECK(choices[1].turn == Turn::enforce);
  CHECK(choices[1].why == "waiting: this commit failed on a");
  CHECK(choices[2].turn == Turn::leave);
}

TEST_CASE("a host that already has the state that failed elsewhere stays steady", "[rollout]") {
  const auto choices = choose({view("a", "new", "old"), view("b", "new", "new")}, {hold("a", "new")});
  CHECK(choices[1].turn == Turn::steady);
}

TEST_CASE("another desired state lifts a hold by itself", "[rollout]") {
  const auto choices = choose({view("a", "newer", "old")}, {hold("a", "new")});
  CHECK(choices[0].turn == Turn::advance);
}

TEST_CASE("a repair that failed is held: the same state is neither applied nor enforced again", "[rollout]") {
  const auto choices = choose({view("a", "good", "good")}, {hold("a", "good")});
  CHECK(choices[0].turn == Turn::leave);
}

TEST_CASE("a failed rollback waits for a person, whatever is wanted", "[rollout]") {
  const auto choices = choose({view("a", "newer", "old", "rollback_failed")}, {});
  CHECK(choices[0].turn == Turn::leave);
}

TEST_CASE("what waits at a gate keeps its last verified state; drift and holds are as ever", "[rollout][gates]") {
  HostView waits = view("a", "new", "old");
  waits.waits = "the window is closed";
  HostView fresh = view("b", "new", "");
  fresh.waits = waits.waits;
  HostView steady = view("c", "new", "new");
  steady.waits = waits.waits;
  const auto choices = choose({waits, fresh, steady}, {});
  CHECK(choices[0].turn == Turn::enforce);
  CHECK(choices[0].why == "waiting: the window is closed");
  CHECK(choices[1].turn == Turn::leave);
  CHECK(choices[2].turn == Turn::steady);
}

TEST_CASE("a host that has a held state goes back to what was verified before, once", "[rollout]") {
  Hold held = hold("a", "new");
  held.back_to = "before";
  held.deployment = 7;
  held.since_ms = 10;
  auto choices = choose({view("a", "new", "new"), view("b", "new", "new"), view("c", "new", "old")}, {held});
  CHECK(choices[0].turn == Turn::back);
  CHECK(choices[0].back_to == "before");
  CHECK(choices[1].turn == Turn::steady);
  CHECK(choices[2].turn == Turn::enforce);
  CHECK(choose({view("a", "new", "old")}, {held})[0].turn == Turn::enforce);  // it is back

  Hold again = hold("a", "old");
  again.commit = "before";
  again.since_ms = 20;
  choices = choose({view("a", "new", "new")}, {held, again});
  CHECK(choices[0].turn == Turn::leave);
  CHECK(choices[0].why.find("going back failed too") != std::string::npos);
}

TEST_CASE("a host whose state broke late goes back also while the next commit waits", "[rollout]") {
  Hold held = hold("a", "broken");
  held.back_to = "before";
  held.deployment = 7;
  HostView host = view("a", "next", "broken");
  CHECK(choose({host}, {held})[0].turn == Turn::advance);
  host.waits = "the window is closed";
  const Choice back = choose({host}, {held})[0];
  CHECK(back.turn == Turn::back);
  CHECK(back.back_to == "before");
  held.back_to.clear();
  CHECK(choose({host}, {held})[0].turn == Turn::enforce);  // there is nothing to go back to
}

TEST_CASE("what is held because of another host is held for that commit alone", "[rollout]") {
  Hold held = hold("a", "same");
  held.back_to = "before";
  HostView host = view("a", "same", "old");
  host.commit = "c";
  CHECK(choose({host}, {held})[0].turn == Turn::enforce);
  host.commit = "the fix";
  CHECK(choose({host}, {held})[0].turn == Turn::advance);
}
