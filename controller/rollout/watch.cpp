#include <controller/rollout/watch.hpp>

#include <controller/plan/times.hpp>
#include <controller/rollout/approval_gate.hpp>
#include <controller/rollout/fetching.hpp>
#include <controller/rollout/root_branch.hpp>
#include <controller/rollout/tracking.hpp>
#include <controller/rollout/wakes.hpp>
#include <manifests/error.hpp>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace holdfast {

namespace {

constexpr std::int64_t nap_ms = 200;
constexpr std::int64_t woken_again_ms = 1'000;  // between the begin of two polls, however often somebody asks for one
constexpr std::size_t spare_files = 300;  // beside a connection for each host: those being made, health checks, git

/// One environment beside the others: at most one poll at a time.
struct Lane {
  explicit Lane(std::unique_ptr<EnvironmentWorker> made) : worker(std::move(made)) {}
  std::unique_ptr<EnvironmentWorker> worker;
  std::string polled{};  // for which commits
  bool again = false;    // it was busy when it should have been polled
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
        options_(options),
        mirror_(open_mirror(settings)),
        root_(settings, store, clock),
        fetching_(settings) {
    if (settings.keep_watch) sessions_.listen([this](const std::string& host, const Value& what) { hear(host, what); });
  }
  ~Watch() { sessions_.stop_listening(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void all() {
    swept_ms_ = clock_.monotonic_ms();
    std::int64_t due = clock_.monotonic_ms();
    std::int64_t begun = due - woken_again_ms;
    while (!options_.stopping()) {
      const std::int64_t now = clock_.monotonic_ms();
      if (now >= due) {
        due = now + poll_pause_ms(options_.poll_ms, random());
        // A remote that hangs: what was accepted stays in force, so hosts are looked at without it.
        if (fetching_.running()) turn(true);
        if (!fetching_.running() && options_.woken) (void)options_.woken();
        fetching_.begin(true);
        begun = now;
      } else if (!fetching_.running() && now - begun >= woken_again_ms && options_.woken && options_.woken()) {
        fetching_.begin(false);
        begun = now;
      }
      if (const auto fetched = fetching_.take()) {
        tell(*fetched);
        turn(fetched->due);
      }
      poll_again();
      wake_hosts();
      if (clock_.monotonic_ms() - swept_ms_ >= options_.sweep_ms) turn(true);
      clock_.sleep_ms(fetching_.running() ? nap_ms / 10 : nap_ms);
    }
  }

 private:
  /// All environments, or only those for which something new is there.
  void turn(bool all) {
    if (all) swept_ms_ = clock_.monotonic_ms();
    sessions_.sweep();
    const Policy* policy = nullptr;
    try {
      policy = &root_.look(*mirror_);
    } catch (const Error& error) {
      once("policy", Progress::Level::bad, error.what());
      return;
    }
    once("policy", Progress::Level::bad, policy->refused);
    tell_open_files(*policy);
    for (const Environment& environment : policy->environments) poll(environment, policy->commit, all);
  }

  void tell_open_files(const Policy& policy) {
    std::size_t hosts = 0;
    for (const Environment& environment : policy.environments) hosts += environment.hosts.size();
    const std::size_t needed = hosts + spare_files;
    once("files", Progress::Level::warning,
         needed <= options_.open_files
             ? ""
             : std::to_string(hosts) + " hosts need " + std::to_string(needed) + " open files, the limit is " +
                   std::to_string(options_.open_files) +
                   ": connections beyond it will fail; raise it with LimitNOFILE= in the unit, or `ulimit -Hn`");
  }

  void tell(const Fetching::Result& fetched) {
    const std::int64_t stale_ms = root_.record().stale_ms;
    if (fetched.problem.empty()) {
      root_.answered();
      answered_ = true;
      said_.erase("fetch");
      if (stale_ms != 0) {
        tell(Progress::Level::good,
             "the repository answers again, after " + duration_text(clock_.wall_ms() - stale_ms));
      }
      return;
    }
    if (fetched.due) root_.failed(fetched.problem);
    if (stale_ms == 0 && root_.record().stale_ms != 0) {
      tell(Progress::Level::bad, stale_text(root_.record()));
    } else if (root_.record().stale_ms == 0 || !answered_) {
      once("fetch", answered_ ? Progress::Level::detail : Progress::Level::warning, fetched.problem);
    }
  }

  void poll(const Environment& environment, const std::string& policy_commit, bool always) {
    auto& lane = lanes_[environment.name];
    if (!lane) {
      lane = std::make_unique<Lane>(
          std::make_unique<EnvironmentWorker>(settings_, sessions_, store_, clock_, on_progress_));
    }
    std::string commits = policy_commit + " " + head_of(environment, policy_commit) + " " + approvals_of(environment);
    if (!always && commits == lane->polled) return;
    lane->polled = std::move(commits);
    lane->again = lane->busy.exchange(true);
    if (!lane->again) begin(*lane, environment, policy_commit);
  }

  /// What was there to see while its lane was busy.
  void poll_again() {
    for (const Environment& environment : root_.policy().environments) {
      const auto lane = lanes_.find(environment.name);
      if (lane == lanes_.end() || !lane->second->again || lane->second->busy.exchange(true)) continue;
      lane->second->again = false;
      begin(*lane->second, environment, root_.policy().commit);
    }
  }

  /// Called by whoever hears it.
  void hear(const std::string& host, const Value& what) {
    {
      const std::scoped_lock lock(wakes_mutex_);
      wakes_.heard(host);
    }
    std::string text = "the host says: " + what.text_or("why", "changed");
    if (const Value* ids = what.find("ids"); ids != nullptr && ids->is_list()) {
      for (const Value& id : ids->as_list()) text += id.is_text() ? " " + id.as_text() : "";
    }
    if (const std::int64_t more = what.int_or("more", 0); more > 0) text += " and " + std::to_string(more) + " more";
    on_progress_({Progress::Level::detail, "", host, text});
  }

  /// Hosts that said that something changed on them, side by side with what goes on.
  void wake_hosts() {
    std::vector<std::string> due = std::exchange(late_, {});
    for (const auto& [name, lane] : lanes_) std::ranges::move(lane->worker->due(), std::back_inserter(due));
    {
      const std::scoped_lock lock(wakes_mutex_);
      std::ranges::move(wakes_.due(clock_.monotonic_ms()), std::back_inserter(due));
    }
    if (due.empty()) return;
    for (const Environment& environment : root_.policy().environments) {
      std::vector<std::string> hosts;
      for (const Host& host : environment.hosts) {
        if (std::ranges::find(due, host.name) != due.end()) hosts.push_back(host.name);
      }
      const auto lane = lanes_.find(environment.name);
      if (hosts.empty() || lane == lanes_.end()) continue;
      if (lane->second->busy.exchange(true)) {
        late_.insert(late_.end(), hosts.begin(), hosts.end());
      } else {
        begin_wake(*lane->second, hosts);
      }
    }
  }

  void hear_again(const std::vector<std::string>& hosts) {
    const std::scoped_lock lock(wakes_mutex_);
    for (const std::string& host : hosts) wakes_.heard(host);
  }

  void begin_wake(Lane& lane, const std::vector<std::string>& hosts) {
    lane.thread = std::jthread([this, &lane, hosts] {
      try {
        hear_again(lane.worker->wake(hosts));
      } catch (const Error& error) {
        tell(Progress::Level::bad, error.what());
      }
      lane.busy = false;
    });
  }

  void begin(Lane& lane, const Environment& environment, const std::string& policy_commit) {
    lane.thread = std::jthread([this, &lane, environment, policy_commit, refused = root_.policy().refused_head] {
      try {
        lane.worker->refuse(refused);
        lane.worker->poll(environment, policy_commit);
      } catch (const Error& error) {
        on_progress_({Progress::Level::bad, environment.name, "", error.what()});
      }
      lane.busy = false;
    });
  }

  [[nodiscard]] std::string head_of(const Environment& environment, const std::string& policy_commit) const {
    try {
      const auto head = tracked_head(environment.track, *mirror_, policy_commit, "");
      return head ? head->commit : "";
    } catch (const Error&) {
      return "";  // its poll tells why
    }
  }

  /// A new approval is as good a reason to look at an environment as a new commit.
  [[nodiscard]] std::string approvals_of(const Environment& environment) const {
    return environment.approval.required ? approval_tags_state(*mirror_, environment.name) : "";
  }

  /// The same trouble is told once, until it is another or over ("").
  void once(const std::string& about, Progress::Level level, const std::string& text) {
    std::string& said = said_[about];
    if (said == text) return;
    said = text;
    if (!text.empty()) tell(level, text);
  }

  void tell(Progress::Level level, const std::string& text) { on_progress_({level, "", "", text}); }

  std::uint32_t random() { return static_cast<std::uint32_t>(std::stoul(clock_.random_hex(), nullptr, 16)); }

  const ControllerSettings& settings_;
  SessionPool& sessions_;
  Store& store_;
  const Clock& clock_;
  const OnProgress& on_progress_;
  const WatchOptions& options_;
  std::unique_ptr<Mirror> mirror_;
  std::map<std::string, std::string> said_;
  bool answered_ = false;  // the repository did, since this process began
  RootBranch root_;
  Fetching fetching_;
  std::mutex wakes_mutex_;
  Wakes wakes_{};
  std::vector<std::string> late_{};  // hosts whose environment was busy when they were due
  std::int64_t swept_ms_ = 0;
  std::map<std::string, std::unique_ptr<Lane>> lanes_;  // destroyed first: each waits for its turn to end
};

}  // namespace

std::int64_t poll_pause_ms(std::int64_t poll_ms, std::uint32_t random) {
  const std::int64_t most = poll_ms / 10;
  return poll_ms - most + static_cast<std::int64_t>(random) % (2 * most + 1);
}

void watch(const ControllerSettings& settings, SessionPool& sessions, Store& store, const Clock& clock,
           const OnProgress& on_progress, const WatchOptions& options) {
  Watch(settings, sessions, store, clock, on_progress, options).all();
}

}  // namespace holdfast
