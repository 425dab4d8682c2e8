#include <controller/health/watch.hpp>

#include <algorithm>
#include <thread>

namespace holdfast {

namespace {

constexpr std::int64_t about_to_pass_ms = 5'000;
constexpr std::int64_t nap_ms = 250;

/// How many rounds in a row passed, and whether the watch may be cut short there.
class Course {
 public:
  explicit Course(const HealthWatch& watch) : watch_(watch) {}

  void add(const std::vector<Sample>& round) {
    streak_ = std::ranges::all_of(round, &Sample::passed) ? streak_ + 1 : 0;
  }
  [[nodiscard]] bool cut_short() const {
    const std::int64_t left_ms = (watch_.policy.passes - streak_) * round_interval_ms(watch_.policy);
    const bool about_to_pass = streak_ > 0 && left_ms <= about_to_pass_ms;
    return watch_.cut_short && !about_to_pass && watch_.cut_short();
  }
  /// False where the watch was cut short meanwhile.
  [[nodiscard]] bool pause(std::int64_t ms) const {
    if (!watch_.cut_short) {
      watch_.clock.sleep_ms(ms);
      return true;
    }
    for (std::int64_t left = ms; left > 0; left -= nap_ms) {
      if (cut_short()) return false;
      watch_.clock.sleep_ms(std::min(left, nap_ms));
    }
    return !cut_short();
  }

 private:
  const HealthWatch& watch_;
  int streak_ = 0;
};

}  // namespace

HealthClock steady_health_clock() {
  using std::chrono::milliseconds;
  return {.now_ms =
              [] {
                const auto since = std::chrono::steady_clock::now().time_since_epoch();
                return static_cast<std::int64_t>(std::chrono::duration_cast<milliseconds>(since).count());
              },
          .sleep_ms = [](std::int64_t ms) { std::this_thread::sleep_for(milliseconds(ms)); }};
}

std::int64_t round_interval_ms(const HealthPolicy& policy) {
  const std::int64_t fitting = policy.window_ms / std::max(1, policy.passes);
  return std::max<std::int64_t>(1, std::min(policy.interval_ms, fitting));
}

Verdict watch_health(const HealthWatch& watch, const Sampler& sampler) {
  const std::int64_t begun = watch.begun_ms >= 0 ? watch.begun_ms : watch.clock.now_ms();
  const std::int64_t deadline = begun + watch.policy.window_ms;
  const std::int64_t interval = round_interval_ms(watch.policy);
  std::vector<Sample> samples;
  Course course(watch);
  for (;;) {
    const std::int64_t started = watch.clock.now_ms();
    const auto left = std::chrono::milliseconds(std::max<std::int64_t>(0, deadline - started));
    std::vector<Sample> round = sampler(std::chrono::steady_clock::now() + left);
    const std::int64_t now = watch.clock.now_ms();
    for (Sample& sample : round) sample.at_ms = std::min(now, deadline);
    samples.insert(samples.end(), round.begin(), round.end());
    Verdict verdict = judge(watch.checks, watch.baseline, samples, watch.policy, begun, now, watch.blame_baseline);
    if (watch.on_round) watch.on_round(round, verdict);
    if (verdict.state != Verdict::State::wait) return verdict;
    course.add(round);
    // A host that answered late was seen late: two answers that arrive together are not two passes an interval apart.
    const std::int64_t pause = std::max(started + interval - now, interval / 2);
    if (!course.pause(std::clamp<std::int64_t>(pause, 0, std::max<std::int64_t>(0, deadline - now)))) return verdict;
  }
}

Verdict watch_health(const HealthWatch& watch, HostProbe& probe) {
  std::map<std::string, std::int64_t> restarts;
  return watch_health(watch, [&](Deadline latest) { return sample_round(watch.checks, probe, restarts, latest); });
}

}  // namespace holdfast
