#include <controller/health/watch.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

Check check(const std::string& name) { return {.name = name, .spec = Map{{"tcp", Map{{"address", "127.0.0.1:1"}}}}}; }
Check unit_check(const std::string& name, const std::string& restarts = "unmoved") {
  return {.name = name, .spec = Map{{"unit", Map{{"name", "cvd.service"}, {"restarts", restarts}}}}};
}
Sample passed(const std::string& name, std::int64_t at_ms) { return {.check = name, .passed = true, .at_ms = at_ms}; }
Sample failed(const std::string& name, std::int64_t at_ms, const std::string& detail = "refused") {
  return {.check = name, .detail = detail, .at_ms = at_ms};
}
Sample unit_at(std::int64_t restarts, std::int64_t at_ms, bool pass = true) {
  return {.check = "unit", .passed = pass, .detail = pass ? "" : "was restarted", .at_ms = at_ms, .restarts = restarts};
}

const HealthPolicy policy{.window_ms = 10'000, .interval_ms = 1'000, .passes = 3};

Verdict verdict(const std::vector<Check>& checks, const std::vector<Sample>& samples, std::int64_t now_ms) {
  return judge(checks, {}, samples, policy, 0, now_ms, true);
}

constexpr auto healthy = Verdict::State::healthy;
constexpr auto unhealthy = Verdict::State::unhealthy;
constexpr auto wait = Verdict::State::wait;

}  // namespace

TEST_CASE("a host without checks is healthy", "[health]") { CHECK(verdict({}, {}, 0).state == healthy); }

TEST_CASE("a check must pass so many times in a row", "[health]") {
  const std::vector<Check> checks = {check("a")};
  CHECK(verdict(checks, {}, 0).state == wait);
  CHECK(verdict(checks, {passed("a", 0), passed("a", 1'000)}, 1'000).state == wait);
  CHECK(verdict(checks, {passed("a", 0), passed("a", 1'000), passed("a", 2'000)}, 2'000).state == healthy);
  CHECK(verdict(checks, {passed("a", 0), passed("a", 1'000), failed("a", 2'000), passed("a", 3'000)}, 3'000).state ==
        wait);
  CHECK(verdict(checks, {failed("a", 0), passed("a", 1), passed("a", 2), passed("a", 3)}, 3).state == healthy);
}

TEST_CASE("every check must pass, not most of them", "[health]") {
  const std::vector<Check> checks = {check("a"), check("b")};
  std::vector<Sample> samples;
  for (int round = 0; round < 3; ++round) {
    samples.push_back(passed("a", round));
    samples.push_back(round == 0 ? failed("b", round) : passed("b", round));
  }
  CHECK(verdict(checks, samples, 3).state == wait);
  samples.push_back(passed("a", 3));
  samples.push_back(passed("b", 3));
  CHECK(verdict(checks, samples, 3).state == healthy);
}

TEST_CASE("at the deadline the failing checks are blamed, first to fail first", "[health]") {
  const std::vector<Check> checks = {check("a"), check("b"), check("c")};
  std::vector<Sample> samples;
  for (int round = 0; round < 10; ++round) {
    samples.push_back(round == 0 ? passed("a", 0) : failed("a", round * 1'000, "status 500"));
    samples.push_back(failed("b", round * 1'000, "refused"));
    samples.push_back(passed("c", round * 1'000));
  }
  const Verdict found = verdict(checks, samples, 10'000);
  CHECK(found.state == unhealthy);
  CHECK(found.blamed == std::vector<std::string>{"b", "a"});
  CHECK(found.why == "\"b\": refused; \"a\": status 500");
}

TEST_CASE("a change is unhealthy as soon as its passes no longer fit before the deadline", "[health]") {
  const std::vector<Check> checks = {check("a")};
  CHECK(verdict(checks, {failed("a", 7'900)}, 7'900).state == wait);
  CHECK(verdict(checks, {failed("a", 8'100)}, 8'100).state == unhealthy);
}

TEST_CASE("a pass after the deadline does not count", "[health]") {
  const std::vector<Check> checks = {check("a")};
  const Verdict found = verdict(checks, {passed("a", 8'000), passed("a", 9'000), passed("a", 10'001)}, 10'001);
  CHECK(found.state == unhealthy);
  CHECK(found.why == "\"a\": passed 2 of 3 times in a row");
}

TEST_CASE("a check that failed before the change is told and not blamed", "[health]") {
  const std::vector<Check> checks = {check("old"), check("new")};
  const std::vector<Sample> baseline = {failed("old", 0), passed("new", 0)};
  std::vector<Sample> samples;
  for (int round = 0; round < 3; ++round) {
    samples.push_back(failed("old", round));
    samples.push_back(passed("new", round));
  }
  CHECK(judge(checks, baseline, samples, policy, 0, 2, false).state == Verdict::State::wait);
  const Verdict kept = judge(checks, baseline, samples, policy, 0, 10'000, false);
  CHECK(kept.state == healthy);
  CHECK(kept.already == std::vector<std::string>{"old"});

  SECTION("it has the whole window to pass, and then is not told any more") {
    for (int round = 3; round < 6; ++round) {
      samples.push_back(passed("old", round));
      samples.push_back(passed("new", round));
    }
    const Verdict mended = judge(checks, baseline, samples, policy, 0, 6, false);
    CHECK(mended.state == healthy);
    CHECK(mended.already.empty());
  }

  SECTION("but on a host's first transaction everything counts") {
    const Verdict first = judge(checks, baseline, samples, policy, 0, 10'000, true);
    CHECK(first.state == unhealthy);
    CHECK(first.blamed == std::vector<std::string>{"old"});
    CHECK(first.already.empty());
  }
  SECTION("and the newest sample of a baseline decides") {
    const Verdict found = judge(checks, {failed("old", 0), passed("old", 1)}, samples, policy, 0, 10'000, false);
    CHECK(found.blamed == std::vector<std::string>{"old"});
  }
}

TEST_CASE("a unit that restarts twice is unhealthy at once", "[health]") {
  const std::vector<Check> checks = {unit_check("unit"), check("a")};
  CHECK(verdict(checks, {unit_at(4, 0), passed("a", 0), unit_at(5, 1, false), failed("a", 1)}, 1).state == wait);
  const Verdict found = verdict(
      checks,
      {unit_at(4, 0), passed("a", 0), unit_at(5, 1, false), passed("a", 1), unit_at(6, 2, false), failed("a", 2)}, 2);
  CHECK(found.state == unhealthy);
  CHECK(found.blamed == std::vector<std::string>{"unit", "a"});
  CHECK(found.why == "\"unit\": restarted 2 times: was restarted; \"a\": refused");

  SECTION("unless its restarts do not matter") {
    const std::vector<Sample> samples = {unit_at(4, 0), unit_at(5, 1), unit_at(9, 2)};
    CHECK(verdict({unit_check("unit", "any")}, samples, 2).state == healthy);
    CHECK(verdict({unit_check("unit")}, samples, 2).state == unhealthy);
  }
  SECTION("a counter that falls was set back by a deliberate restart") {
    CHECK(verdict({unit_check("unit")}, {unit_at(4, 0), unit_at(0, 1), unit_at(0, 2)}, 2).state == healthy);
  }
}

TEST_CASE("restarts are counted from before the change, however late the first round comes", "[health]") {
  const auto after = [](std::int64_t before, std::int64_t now) {
    return judge({unit_check("unit")}, {unit_at(before, 0)}, {unit_at(now, 9'000)}, policy, 0, 9'000, false);
  };
  CHECK(after(0, 5).state == unhealthy);
  CHECK(after(3, 4).state == wait);
  CHECK(judge({unit_check("unit")}, {unit_at(7, 0)}, {unit_at(1, 0)}, policy, 0, 0, false).state == wait);
  CHECK(judge({unit_check("unit")}, {}, {unit_at(7, 0)}, policy, 0, 0, false).state == wait);
}

TEST_CASE("a unit that systemd gave up is unhealthy at once", "[health]") {
  const std::vector<Check> checks = {check("a"), unit_check("unit")};
  Sample gone = failed("unit", 0, "expected unit \"cvd.service\" to be active, found failed");
  gone.gave_up = true;
  const Verdict found = verdict(checks, {failed("a", 0), gone}, 0);
  CHECK(found.state == unhealthy);
  CHECK(found.blamed == std::vector<std::string>{"unit", "a"});

  SECTION("but not where it was so before the change") {
    const Verdict before = judge(checks, {gone}, {passed("a", 0), gone}, policy, 0, 0, false);
    CHECK(before.state == wait);
  }
}

TEST_CASE("more than three culprits are counted, not listed", "[health]") {
  std::vector<Check> checks;
  std::vector<Sample> samples;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    checks.push_back(check(name));
    samples.push_back(failed(name, 0));
  }
  const Verdict found = verdict(checks, samples, 10'000);
  CHECK(found.blamed.size() == 5);
  CHECK(found.why == "\"a\": refused; \"b\": refused; \"c\": refused; and 2 more");
}

namespace {

/// A clock that moves only when the watch sleeps or a round takes its time.
struct HandClock {
  std::int64_t now = 5'000;
  std::vector<std::int64_t> slept{};
  HealthClock clock() {
    return {.now_ms = [this] { return now; },
            .sleep_ms =
                [this](std::int64_t ms) {
                  slept.push_back(ms);
                  now += std::max<std::int64_t>(ms, 1);
                }};
  }
};

}  // namespace

TEST_CASE("a watch ends with the last pass that is needed", "[health]") {
  HandClock hand;
  int rounds = 0;
  HealthWatch watch{.checks = {check("a")}, .policy = policy, .clock = hand.clock()};
  std::vector<Verdict::State> told;
  watch.on_round = [&](const std::vector<Sample>& round, const Verdict& verdict) {
    CHECK(round.size() == 1);
    told.push_back(verdict.state);
  };
  const Verdict found = watch_health(watch, [&](Deadline) {
    hand.now += 200;
    return std::vector<Sample>{++rounds < 3 ? failed("a", 0) : passed("a", 0)};
  });
  CHECK(found.state == healthy);
  CHECK(told == std::vector<Verdict::State>{wait, wait, wait, wait, healthy});
  CHECK(hand.slept == std::vector<std::int64_t>{800, 800, 800, 800});
}

TEST_CASE("answers that come late are not taken for passes an interval apart", "[health]") {
  HandClock hand;
  HealthWatch watch{.checks = {check("a")}, .policy = policy, .clock = hand.clock()};
  int rounds = 0;
  CHECK(watch_health(watch, [&](Deadline) {
          hand.now += ++rounds == 1 ? 2'500 : 0;
          return std::vector<Sample>{passed("a", 0)};
        }).state == healthy);
  CHECK(hand.slept == std::vector<std::int64_t>{500, 1'000});
}

TEST_CASE("a watch ends within two seconds of certainty", "[health]") {
  HandClock hand;
  HealthWatch watch{.checks = {check("a")}, .policy = policy, .clock = hand.clock()};
  SECTION("when nothing ever passes") {
    CHECK(watch_health(watch, [&](Deadline) { return std::vector<Sample>{failed("a", 0)}; }).state == unhealthy);
    CHECK(hand.now - 5'000 <= policy.window_ms);
  }
  SECTION("when the effects ended before it began") {
    watch.begun_ms = 1'000;
    CHECK(watch_health(watch, [&](Deadline) { return std::vector<Sample>{failed("a", 0)}; }).state == unhealthy);
    CHECK(hand.now - 1'000 <= policy.window_ms);
  }
  SECTION("when each round hangs to the end of its time") {
    const Verdict found = watch_health(watch, [&](Deadline latest) {
      const auto left = latest - std::chrono::steady_clock::now();
      CHECK(left <= std::chrono::milliseconds(policy.window_ms));
      hand.now = 5'000 + policy.window_ms + 20;
      return std::vector<Sample>{failed("a", 0, "hung")};
    });
    CHECK(found.why == "\"a\": hung");
  }
}

TEST_CASE("rounds come closer together where the window is too short for the passes", "[health]") {
  CHECK(round_interval_ms({.window_ms = 30'000, .interval_ms = 1'000, .passes = 3}) == 1'000);
  CHECK(round_interval_ms({.window_ms = 2'000, .interval_ms = 1'000, .passes = 4}) == 500);
  HandClock hand;
  HealthWatch watch{.checks = {check("a")}, .policy = {.window_ms = 2'000, .interval_ms = 5'000, .passes = 4}};
  watch.clock = hand.clock();
  CHECK(watch_health(watch, [&](Deadline) { return std::vector<Sample>{passed("a", 0)}; }).state == healthy);
}
