#include <controller/rollout/watch.hpp>

#include <manifests/error.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

namespace holdfast {

namespace {

constexpr int polls_until_stale = 3;
constexpr std::int64_t fetch_ms = 120'000;
constexpr std::int64_t nap_ms = 200;

/// One environment beside the others: at most one turn at a time.
struct Lane {
  explicit Lane(std::unique_ptr<EnvironmentWorker> made) : worker(std::move(made)) {}
  std::unique_ptr<EnvironmentWorker> worker;
  std::atomic<bool> busy = false;
  std::jthread thread;
};

class Watch {
 public:
  Watch(const ControllerSettings& settings, SessionPool& sessions, Store& store, const Clock& clock,
        const OnProgress& on_progress, const WatchOptions& options)
      : settings_(settings),
        sessions_(sessions),
        store_(store),
        clock_(clock),
        on_progress_(on_progress),
        options_(options) {}

  void all() {
    const std::unique_ptr<Mirror> mirror = open_mirror(settings_);
    while (!options_.stopping()) {
      const std::int64_t next = clock_.monotonic_ms() + options_.poll_ms + jitter();
      tick(*mirror);
      while (!options_.stopping() && clock_.monotonic_ms() < next) clock_.sleep_ms(nap_ms);
    }
  }

 private:
  void tick(Mirror& mirror) {
    fetch(mirror);
    sessions_.sweep();
    Policy policy;
    try {
      policy = read_policy(mirror, settings_);
    } catch (const Error& error) {
      once("policy", Progress::Level::bad, error.what());
      return;
    }
    if (!policy.problems.empty()) {
      std::string text = "the environments of the root branch are refused:";
      for (const Problem& problem : policy.problems) text += "\n" + render(problem);
      once("policy", Progress::Level::bad, text);
      return;
    }
    said_.erase("policy");
    for (const Environment& environment : policy.environments) give_turn(environment, policy.commit);
  }

  void fetch(Mirror& mirror) {
    try {
      mirror.fetch(std::chrono::steady_clock::now() + std::chrono::milliseconds(fetch_ms));
      if (failed_polls_ >= polls_until_stale) tell(Progress::Level::good, "the repository answers again");
      failed_polls_ = 0;
      said_.erase("fetch");
    } catch (const Error& error) {
      ++failed_polls_;
      const bool stale = failed_polls_ >= polls_until_stale;
      once("fetch", Progress::Level::warning, error.what());
      if (stale) {
        once(
            "stale", Progress::Level::bad,
            "source stale: " + std::to_string(failed_polls_) + " polls failed; the last accepted state stays in force");
      }
    }
    if (failed_polls_ == 0) said_.erase("stale");
  }

  void give_turn(const Environment& environment, const std::string& policy_commit) {
    auto& lane = lanes_[environment.name];
    if (!lane) {
      lane = std::make_unique<Lane>(
          std::make_unique<EnvironmentWorker>(settings_, sessions_, store_, clock_, on_progress_));
    }
    if (lane->busy.exchange(true)) return;
    Lane& own = *lane;
    own.thread = std::jthread([this, &own, environment, policy_commit] {
      try {
        const auto begun = std::chrono::steady_clock::now();
        const EnvironmentReport report = own.worker->run(environment, policy_commit, {});
        tell_turn(report, std::chrono::steady_clock::now() - begun);
      } catch (const Error& error) {
        on_progress_({Progress::Level::bad, environment.name, "", error.what()});
      }
      own.busy = false;
    });
  }

  /// The same trouble is told once, until it is another or over.
  void once(const std::string& about, Progress::Level level, const std::string& text) {
    std::string& said = said_[about];
    if (said == text || (about == "stale" && !said.empty())) return;
    said = text;
    tell(level, text);
  }

  /// For whoever wants to know how fast it is: at the level that is silent by default.
  void tell_turn(const EnvironmentReport& report, std::chrono::duration<double, std::milli> took) {
    std::map<std::string_view, int> results;
    for (const HostReport& host : report.hosts) ++results[to_text(host.result)];
    std::string text;
    for (const auto& [result, count] : results) {
      text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(result);
    }
    std::array<char, 32> milliseconds{};
    std::snprintf(milliseconds.data(), milliseconds.size(), "%.1f", took.count());
    on_progress_({Progress::Level::detail, report.environment, "",
                  std::string("turn took ") + milliseconds.data() + " ms: " + (text.empty() ? "no host" : text)});
  }

  void tell(Progress::Level level, const std::string& text) { on_progress_({level, "", "", text}); }

  std::int64_t jitter() {
    const auto random = static_cast<std::int64_t>(std::stoul(clock_.random_hex(), nullptr, 16));
    return options_.poll_ms < 10 ? 0 : random % (options_.poll_ms / 10);
  }

  const ControllerSettings& settings_;
  SessionPool& sessions_;
  Store& store_;
  const Clock& clock_;
  const OnProgress& on_progress_;
  const WatchOptions& options_;
  std::map<std::string, std::unique_ptr<Lane>> lanes_;  // destroyed first to last: each waits for its turn to end
  std::map<std::string, std::string> said_;
  int failed_polls_ = 0;
};

}  // namespace

void watch(const ControllerSettings& settings, SessionPool& sessions, Store& store, const Clock& clock,
           const OnProgress& on_progress, const WatchOptions& options) {
  Watch(settings, sessions, store, clock, on_progress, options).all();
}

}  // namespace holdfast
