#include <controller/rollout/environment_run.hpp>

#include <controller/rollout/host_turns.hpp>
#include <controller/rollout/late_watches.hpp>
#include <controller/rollout/source.hpp>
#include <controller/rollout/suspension.hpp>
#include <controller/rollout/wishes.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

namespace {

/// So that people can be told when all of these hosts have this commit.
void remember_rollout(const EnvironmentPoll& poll) {
  std::vector<std::string> hosts;
  for (const Host& host : poll.desired->environment.hosts) hosts.push_back(host.name);
  const Commit& commit = poll.desired->commit;
  const HostTools& host = poll.tools.host;
  host.store.put_rollout(poll.job.environment.name,
                         {.commit = commit.id, .subject = commit.summary, .author = commit.author},
                         to_json(Value::texts(hosts)), host.clock.wall_ms());
}

Rollout rollout_of(const EnvironmentPoll& poll) {
  const Environment& environment = poll.desired->environment;
  const RolloutPolicy& policy = environment.rollout;
  Rollout rollout{.key = poll.tools.policy_commit + " " + poll.desired->commit.id,
                  .canary = policy.canary,
                  .pause_ms = policy.pause_ms,
                  .all_back = policy.on_failure == OnFailure::rollback_all};
  for (const WaveSize& size : policy.waves) rollout.waves.push_back(hosts_in(size, environment.hosts.size()));
  return rollout;
}

}  // namespace

EnvironmentRun::EnvironmentRun(HostTools& host, const ScheduleLimits& limits)
    : turns_(std::make_unique<HostTurns>(host, limits)) {}

EnvironmentRun::~EnvironmentRun() = default;

EnvironmentReport EnvironmentRun::poll(const EnvironmentJob& job, const EnvironmentTools& tools) {
  EnvironmentReport report{.environment = job.environment.name};
  const HostTools& host = tools.host;
  end_expired_suspensions(host.store, job.environment.name, host.clock.wall_ms(), host.on_progress);
  if (host.late != nullptr) host.late->learn(job.environment);
  auto poll = std::make_shared<EnvironmentPoll>(EnvironmentPoll{.job = job, .tools = tools});
  poll->desired = desired_now(poll->job, poll->tools, report);
  if (!poll->desired) return report;
  poll->by_hand = tools.host.store.pin(job.environment.name).has_value();
  const Rollout rollout = rollout_of(*poll);
  const std::vector<Wish> wishes = wishes_of(*poll);
  remember_rollout(*poll);  // after what waits is known: it is not told as one that has begun
  newest_ = poll;
  turns_->poll(std::move(poll), rollout, wishes);
  return report;
}

std::vector<std::string> EnvironmentRun::wake(const std::vector<std::string>& hosts) {
  std::vector<std::string> busy;
  if (!newest_) return busy;
  for (const Wish& wish : wishes_again(*newest_)) {
    const bool keeps = wish.choice.turn == Turn::steady || wish.choice.turn == Turn::enforce;
    if (!keeps || std::ranges::find(hosts, wish.choice.host) == hosts.end()) continue;
    if (!turns_->wake(wish)) busy.push_back(wish.choice.host);
  }
  return busy;
}

std::vector<HostReport> EnvironmentRun::wait() { return turns_->wait(); }

std::shared_ptr<const Desired> DesiredCache::get(const std::string& key, const Make& make) {
  const auto found = std::ranges::find(kept_, key, &Kept::key);
  if (found != kept_.end()) {
    std::rotate(found, found + 1, kept_.end());
    return kept_.back().desired;
  }
  auto made = std::make_shared<const Desired>(make());
  constexpr std::size_t most = 6;  // the head, the last good ones of a few hosts
  if (!made->lasting) return made;
  if (kept_.size() == most) kept_.erase(kept_.begin());
  kept_.push_back({key, made});
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
      case HostResult::contended:
      case HostResult::drifted:
      case HostResult::suspended:
        code = 3;
        break;
      case HostResult::refused:
      case HostResult::observing:
        at_least(4);
        break;
      case HostResult::degraded:
      case HostResult::failed:
      case HostResult::unreachable:
      case HostResult::unknown:
      case HostResult::busy:
      case HostResult::disturbed:
        at_least(1);
        break;
    }
  }
  return code;
}

}  // namespace holdfast
