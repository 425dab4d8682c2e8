#include <controller/rollout/environment_run.hpp>

#include <controller/rollout/parallel.hpp>
#include <controller/rollout/source.hpp>
#include <manifests/error.hpp>

#include <algorithm>
#include <mutex>

namespace holdfast {

namespace {

/// One environment's turn while it lasts.
class EnvironmentRun {
 public:
  EnvironmentRun(const EnvironmentJob& job, EnvironmentTools& tools, std::shared_ptr<const Desired> desired,
                 bool by_hand, EnvironmentReport& report)
      : job_(job), tools_(tools), desired_(std::move(desired)), by_hand_(by_hand), report_(report) {}

  void all() {
    split();
    in_parallel(quiet_, job_.workers, [this](const Choice& choice) { keep(choice); });
    const bool stopped = canary();
    if (stopped) {
      for (const Choice& choice : advancing_) wait(choice);
    } else {
      in_parallel(advancing_, job_.workers, [this](const Choice& choice) { advance(choice); });
    }
    std::ranges::sort(report_.hosts, {}, &HostReport::host);
  }

 private:
  [[nodiscard]] bool asked_for(const std::string& host) const {
    return job_.only_hosts.empty() || std::ranges::find(job_.only_hosts, host) != job_.only_hosts.end();
  }

  void split() {
    std::vector<HostView> views;
    for (const Host& host : desired_->environment.hosts) {
      const auto record = tools_.host.store.host(job_.environment.name, host.name);
      views.push_back({host.name, desired_->hosts.at(host.name).digest, record.value_or(HostRecord{})});
    }
    for (const Choice& choice : choose(views, tools_.host.store.holds(job_.environment.name))) {
      if (!asked_for(choice.host)) continue;
      (choice.turn == Turn::advance ? advancing_ : quiet_).push_back(choice);
    }
  }

  /// The first hosts take a new desired state one after the other; true where one failed and the others must not go on.
  bool canary() {
    int healthy = 0;
    while (!advancing_.empty() && healthy < desired_->environment.canary) {
      const Choice next = advancing_.front();
      advancing_.erase(advancing_.begin());
      const HostResult result = advance(next);
      const bool reached = result != HostResult::unreachable;
      const bool fine = result == HostResult::deployed || result == HostResult::unchanged ||
                        result == HostResult::repaired ||
                        result == HostResult::degraded;  // nothing to blame the commit for
      if (reached && !fine) return true;
      healthy += fine ? 1 : 0;
    }
    return false;
  }

  HostResult advance(const Choice& choice) { return turn(choice.host, *desired_); }

  void wait(const Choice& choice) {
    const auto record = tools_.host.store.host(job_.environment.name, choice.host);
    keep({choice.host, record && !record->live_bundle.empty() ? Turn::enforce : Turn::leave,
          "waiting: this commit failed on another host"});
  }

  void keep(const Choice& choice) {
    if (choice.turn == Turn::steady) {
      turn(choice.host, *desired_);
      return;
    }
    HostRecord record = tools_.host.store.host(job_.environment.name, choice.host).value_or(HostRecord{});
    const bool held = !choice.why.starts_with("waiting");
    if (choice.turn == Turn::enforce) enforce(choice.host, record.live_commit);
    record = tools_.host.store.host(job_.environment.name, choice.host).value_or(record);
    mark(record, choice, held);
    add({.host = choice.host, .result = held ? HostResult::held : HostResult::waiting, .detail = choice.why});
  }

  /// The new desired state is held or waits; the last verified one stays in force, drift in it is repaired.
  void enforce(const std::string& host, const std::string& commit) {
    const std::shared_ptr<const Desired> good = desired_at(job_, tools_, commit);
    if (!good->problems.empty() || !good->hosts.contains(host)) return;
    (void)run_one(host, *good);
  }

  void mark(HostRecord record, const Choice& choice, bool held) {
    if (record.state == "unreachable" || record.state == "rollback_failed" || record.state == "unknown") return;
    const std::string state = held ? "held" : "waiting";
    if (record.state != state) record.changed_ms = tools_.host.clock.wall_ms();
    record.environment = job_.environment.name;
    record.host = choice.host;
    record.state = state;
    record.detail = choice.why;
    record.desired_commit = desired_->commit.id;
    tools_.host.store.put_host(record);
  }

  HostResult turn(const std::string& host, const Desired& desired) {
    const HostReport report = run_one(host, desired);
    add(report);
    return report.result;
  }

  HostReport run_one(const std::string& host, const Desired& desired) {
    const HostJob job{.environment = job_.environment.name,
                      .desired = &desired.hosts.at(host),
                      .commit = desired.commit,
                      .health = desired.environment.health,
                      .requested_by = job_.requested_by,
                      .rollback = by_hand_};
    return run_host(job, tools_.host);
  }

  void add(const HostReport& report) {
    const std::scoped_lock lock(mutex_);
    report_.hosts.push_back(report);
  }

  const EnvironmentJob& job_;
  EnvironmentTools& tools_;
  std::shared_ptr<const Desired> desired_;
  bool by_hand_;
  EnvironmentReport& report_;
  std::vector<Choice> quiet_;  // steady, enforce and leave
  std::vector<Choice> advancing_;
  std::mutex mutex_;
};

}  // namespace

EnvironmentReport run_environment(const EnvironmentJob& job, EnvironmentTools& tools) {
  EnvironmentReport report{.environment = job.environment.name};
  const std::shared_ptr<const Desired> desired = desired_now(job, tools, report);
  if (!desired) return report;
  const auto pin = tools.host.store.pin(job.environment.name);
  EnvironmentRun(job, tools, desired, pin.has_value(), report).all();
  return report;
}

std::shared_ptr<const Desired> DesiredCache::get(const std::string& key, const Make& make) {
  const auto found = kept_.find(key);
  if (found != kept_.end()) return found->second;
  auto made = std::make_shared<const Desired>(make());
  constexpr std::size_t most = 8;  // the head, the last good ones of a few hosts
  if (kept_.size() >= most) kept_.erase(kept_.begin());
  if (made->lasting) kept_[key] = made;
  return made;
}

int exit_code(const EnvironmentReport& report) {
  if (!report.problems.empty()) return 1;
  if (!report.refused.empty()) return 4;
  int code = 0;
  const auto at_least = [&code](int wanted) { code = code == 3 ? 3 : std::max(code, wanted); };
  for (const HostReport& host : report.hosts) {
    switch (host.result) {
      case HostResult::unchanged:
      case HostResult::deployed:
      case HostResult::repaired:
        break;
      case HostResult::rolled_back:
      case HostResult::rollback_failed:
      case HostResult::held:
      case HostResult::waiting:
        code = 3;
        break;
      case HostResult::refused:
        at_least(4);
        break;
      case HostResult::degraded:
      case HostResult::unreachable:
      case HostResult::unknown:
        at_least(1);
        break;
    }
  }
  return code;
}

}  // namespace holdfast
