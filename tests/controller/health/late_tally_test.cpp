#include <controller/health/late_tally.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

const std::vector<Check> checks = {{.name = "page", .spec = Map{{"http", Map{{"url", "http://x/"}}}}},
                                   {.name = "unit", .spec = Map{{"unit", Map{{"name", "x.service"}}}}},
                                   {.name = "ask", .spec = Map{{"command", Map{{"argv", List{"true"}}}}}}};

/// A watch whose rounds are 5 s apart.
class Watched {
 public:
  explicit Watched(LateWatchPolicy policy = {}, const std::vector<std::string>& already = {})
      : policy_(policy), tally_({{"unit", 3}}, already) {}

  Watched& round(bool page = true, std::int64_t took_ms = 10, std::int64_t restarts = 3, bool ask = true,
                 std::optional<HostLoad> load = {}) {
    LateRound one{.load = load, .passed_ms = policy_.every_ms};
    one.samples.push_back({.check = "page", .passed = page, .detail = page ? "" : "found 500", .took_ms = took_ms});
    one.samples.push_back({.check = "unit", .passed = true, .restarts = restarts});
    one.samples.push_back({.check = "ask", .passed = ask, .detail = ask ? "" : "exit 1", .took_ms = took_ms});
    tally_.add(checks, one, policy_);
    return *this;
  }
  Watched& rounds(int number) {
    for (int i = 0; i < number; ++i) round();
    return *this;
  }
  Verdict verdict() { return tally_.judge(checks, policy_); }
  LateTally& tally() { return tally_; }

 private:
  LateWatchPolicy policy_;
  LateTally tally_;
};

using State = Verdict::State;

}  // namespace

TEST_CASE("a late watch is over when its time was watched, not before", "[late]") {
  CHECK(Watched().rounds(11).verdict().state == State::wait);
  CHECK(Watched().rounds(12).verdict().state == State::healthy);
}

TEST_CASE("a check that fails so many times in a row breaks the watch, and says what it found", "[late]") {
  CHECK(Watched().round(false).round(false).round().round(false).verdict().state == State::wait);
  const Verdict broken = Watched().round(false).round(false).round(false).verdict();
  CHECK(broken.state == State::unhealthy);
  CHECK(broken.why == "\"page\" failed 3 times in a row: found 500");
  CHECK(broken.blamed == std::vector<std::string>{"page"});
}

TEST_CASE("a check that failed before the change, too, is not blamed", "[late]") {
  const Verdict verdict = Watched({}, {"page"}).round(false).round(false).round(false).verdict();
  CHECK(verdict.state == State::wait);
  CHECK(verdict.already == std::vector<std::string>{"page"});
}

TEST_CASE("restarts are counted from before the watch", "[late]") {
  CHECK(Watched().round(true, 10, 4).verdict().state == State::wait);
  const Verdict broken = Watched().round(true, 10, 4).round(true, 10, 5).verdict();
  CHECK(broken.state == State::unhealthy);
  CHECK(broken.why == "\"unit\" was restarted by systemd 2 times, at most 1 may be");
  CHECK(Watched({.restarts = 0}).round(true, 10, 4).verdict().state == State::unhealthy);
  // A person's restart begins the counter again.
  CHECK(Watched().round(true, 10, 4).round(true, 10, 0).round(true, 10, 0).verdict().state == State::wait);
}

TEST_CASE("a share of slow answers breaks the watch, a single one never does", "[late]") {
  const LateWatchPolicy policy{.latency_ms = 2'000};
  CHECK(Watched(policy).round(true, 2'001).rounds(11).verdict().state == State::healthy);
  const Verdict broken = Watched(policy).round(true, 2'001).rounds(5).round(true, 3'100).verdict();
  CHECK(broken.state == State::unhealthy);  // of 12 rounds none may be slow, let alone two
  CHECK(broken.why ==
        "\"page\" was slow: 2 of 7 answers (28.6%) took longer than 2,000 ms, at most 5% may; the slowest took "
        "3,100 ms");
  CHECK(Watched(policy).round(true, 2'000).round(true, 2'000).verdict().state == State::wait);
}

TEST_CASE("what a long watch may have of failures is told from chance", "[late]") {
  const LateWatchPolicy hours{.for_ms = 7'200'000, .failures = 100, .errors = 0.01};
  Watched early(hours);
  early.round(false).rounds(20).round(false).rounds(20);
  CHECK(early.verdict().state == State::wait);  // 2 of 42 are 5 %, but two are too few
  Watched often(hours);
  for (int i = 0; i < 70; ++i) often.round(false).rounds(2);
  CHECK(often.verdict().state == State::unhealthy);
  Watched rare(hours);
  for (int i = 0; i < 5; ++i) rare.round(false).rounds(199);
  CHECK(rare.verdict().state == State::wait);
}

TEST_CASE("a busy host breaks the watch after a minute of it, and not by a moment", "[late]") {
  const LateWatchPolicy policy{.for_ms = 600'000, .cpu = 0.7};
  Watched busy(policy);
  double cpu = 0;
  for (int i = 0; i <= 11; ++i) {
    busy.round(true, 10, 3, true, HostLoad{.uptime_s = 100.0 + 5 * i, .cpu_s = cpu, .processors = 2, .memory = 0.5});
    CHECK(busy.verdict().state == State::wait);
    cpu += 8;  // of 10
  }
  busy.round(true, 10, 3, true, HostLoad{.uptime_s = 160, .cpu_s = cpu, .processors = 2, .memory = 0.5});
  CHECK(busy.verdict().state == State::unhealthy);
  CHECK(busy.verdict().why == "the host's processors were 80% busy in the last 60 s, at most 70% may be");
}

TEST_CASE("the load of long ago is forgotten", "[late]") {
  const LateWatchPolicy policy{.for_ms = 600'000, .cpu = 0.7};
  Watched host(policy);
  double cpu = 0;
  for (int i = 0; i < 100; ++i) {
    host.round(true, 10, 3, true, HostLoad{.uptime_s = 5.0 * i, .cpu_s = cpu, .processors = 1, .memory = 0.5});
    cpu += i < 5 ? 5 : 1;
    REQUIRE(host.verdict().state == State::wait);
    if (i > 5) REQUIRE(host.verdict().why.empty());
  }
}

TEST_CASE("used memory breaks the watch", "[late]") {
  const LateWatchPolicy policy{.memory = 0.8};
  Watched host(policy);
  for (int i = 0; i < 7; ++i) {
    host.round(true, 10, 3, true, HostLoad{.uptime_s = 5.0 * i, .cpu_s = 0, .processors = 1, .memory = 0.9});
  }
  CHECK(host.verdict().state == State::unhealthy);
  CHECK(host.verdict().why == "90% of the host's memory were used in the last 30 s, at most 80% may be");
}

TEST_CASE("what was seen is the same after a restart of the controller", "[late]") {
  const LateWatchPolicy policy{.cpu = 0.7};
  Watched before(policy);
  before.round(false, 40, 4).round(false, 30, 4, true,
                                   HostLoad{.uptime_s = 5.5, .cpu_s = 1.25, .processors = 2, .memory = 0.5});
  LateTally after = LateTally::from(from_json(to_json(before.tally().to_value())));
  CHECK(after.to_value() == before.tally().to_value());
  LateRound third{.passed_ms = 5'000};
  third.samples.push_back({.check = "page", .passed = false, .detail = "found 500"});
  after.add(checks, third, policy);
  CHECK(after.judge(checks, policy).state == State::unhealthy);
}

TEST_CASE("what is no tally is one that begins anew", "[late]") {
  for (const char* text : {"null", "{}", "[]", R"({"watched_ms":1,"rounds":2,"checks":{"a":3},"loads":[]})",
                           R"({"watched_ms":1,"rounds":2,"checks":{},"loads":[[1]]})"}) {
    CHECK(LateTally::from(from_json(text)).rounds() == 0);
  }
}

TEST_CASE("a host tells its load by its own control group, or by the machine's files", "[late]") {
  const std::string machine =
      "==> /proc/uptime <==\n1000.50 1800.00\n\n==> /proc/meminfo <==\nMemTotal:       1000 kB\nMemFree: 1 kB\n"
      "MemAvailable:    250 kB\n\n==> /proc/stat <==\ncpu  100 50 50 9999 1 5 5 0 0 0\ncpu0 1 2\ncpu1 1 2\nintr 5\n";
  const auto whole = read_host_load(machine);
  REQUIRE(whole);
  CHECK(whole->uptime_s == Approx(1000.5));
  CHECK(whole->cpu_s == Approx(2.1));
  CHECK(whole->processors == Approx(2));
  CHECK(whole->memory == Approx(0.75));
  const auto container =
      read_host_load(machine + "\n==> /sys/fs/cgroup/cpu.stat <==\nusage_usec 1500000\nuser_usec 1\n"
                               "\n==> /sys/fs/cgroup/cpu.max <==\n50000 100000\n"
                               "\n==> /sys/fs/cgroup/memory.current <==\n409600\n"
                               "\n==> /sys/fs/cgroup/memory.max <==\n512000\n"
                               "\n==> /sys/fs/cgroup/memory.stat <==\nanon 5\ninactive_file 51200\nactive_file 102400\n");
  REQUIRE(container);
  CHECK(container->cpu_s == Approx(1.5));
  CHECK(container->processors == Approx(0.5));
  CHECK(container->memory == Approx(0.5));
  CHECK_FALSE(read_host_load("head: cannot open '/proc/uptime'"));
  CHECK_FALSE(read_host_load("==> /proc/uptime <==\nnan\n"));
  CHECK(*busy_between({.uptime_s = 0, .cpu_s = 0, .processors = 2}, {.uptime_s = 10, .cpu_s = 5, .processors = 2}) ==
        Approx(0.25));
  CHECK_FALSE(busy_between({.uptime_s = 10}, {.uptime_s = 5, .processors = 1}));
}
