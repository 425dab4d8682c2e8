#include <controller/rollout/watch.hpp>

#include <manifests/error.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <thread>

namespace holdfast {

namespace {

constexpr int polls_until_stale = 3;
constexpr std::int64_t fetch_ms = 120'000;
constexpr std::int64_t nap_ms = 200;
constexpr std::size_t spare_files = 300;  // beside a connection for each host: those being made, health checks, git

/// One environment beside the others: at most one poll at a time.
struct Lane {
  explicit Lane(std::unique_ptr<EnvironmentWorker> made) : worker(std::move(made)) {}
  std::unique_ptr<EnvironmentWorker> worker;
  std::atomic<bool> busy = false;
  std::jthread thread;  // last: it uses the worker
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
    try {
      // Read again only when the root branch moved: a thousand hosts are a long file.
      if (policy_.commit.empty() || mirror.branch(settings_.branch) != policy_.commit) {
        policy_ = read_policy(mirror, settings_);
      }
    } catch (const Error& error) {
      once("policy", Progress::Level::bad, error.what());
      return;
    }
    if (!policy_.problems.empty()) {
      std::string text = "the environments of the root branch are refused:";
      for (const Problem& problem : policy_.problems) text += "\n" + render(problem);
      once("policy", Progress::Level::bad, text);
      return;
    }
    said_.erase("policy");
    tell_open_files();
    for (const Environment& environment : policy_.environments) poll(environment, policy_.commit);
  }

  void tell_open_files() {
    std::size_t hosts = 0;
    for (const Environment& environment : policy_.environments) hosts += environment.hosts.size();
    const std::size_t needed = hosts + spare_files;
    if (needed <= options_.open_files) {
      said_.erase("files");
      return;
    }
    once("files", Progress::Level::warning,
         std::to_string(hosts) + " hosts need " + std::to_string(needed) + " open files, the limit is " +
             std::to_string(options_.open_files) +
             ": connections beyond it will fail; raise it with LimitNOFILE= in the unit, or `ulimit -Hn`");
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

  void poll(const Environment& environment, const std::string& policy_commit) {
    auto& lane = lanes_[environment.name];
    if (!lane) {
      lane = std::make_unique<Lane>(
          std::make_unique<EnvironmentWorker>(settings_, sessions_, store_, clock_, on_progress_));
    }
    if (lane->busy.exchange(true)) return;
    Lane& own = *lane;
    own.thread = std::jthread([this, &own, environment, policy_commit] {
      try {
        own.worker->poll(environment, policy_commit);
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
  Policy policy_{};
  int failed_polls_ = 0;
};

}  // namespace

void watch(const ControllerSettings& settings, SessionPool& sessions, Store& store, const Clock& clock,
           const OnProgress& on_progress, const WatchOptions& options) {
  Watch(settings, sessions, store, clock, on_progress, options).all();
}

}  // namespace holdfast
