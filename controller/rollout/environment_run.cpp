#include <controller/rollout/environment_run.hpp>

#include <controller/rollout/gated.hpp>
#include <controller/rollout/host_turns.hpp>
#include <controller/rollout/source.hpp>
#include <controller/rollout/suspension.hpp>
#include <controller/rollout/take_back.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

namespace {

bool asked_for(const EnvironmentJob& job, const std::string& host) {
  return job.only_hosts.empty() || std::ranges::find(job.only_hosts, host) != job.only_hosts.end();
}

/// A host that was left in the middle of this commit comes first: what became of it there is known before another one
/// takes it.
void put_begun_first(const EnvironmentPoll& poll, std::vector<Wish>& wishes) {
  std::set<std::string> begun;
  constexpr int most = 1'000;
  for (const Deployment& one : poll.tools.host.store.unsettled(poll.job.environment.name, "", most)) {
    if (one.commit == poll.desired->commit.id) begun.insert(one.host);
  }
  if (begun.empty()) return;
  std::stable_partition(wishes.begin(), wishes.end(),
                        [&](const Wish& wish) { return begun.contains(wish.choice.host); });
}

/// A host of which an application is left as it is wants another state than without.
std::string wanted_of(const EnvironmentPoll& poll, const std::string& host, const std::vector<std::string>& left) {
  if (left.empty()) return poll.desired->hosts.at(host).digest;
  HostDesired desired = poll.desired->host(host);
  leave_apps(desired, left);
  return desired.digest;
}

/// What every host's turn should be for, from what is wanted, what is live and what is held.
std::vector<Wish> wishes_of(const EnvironmentPoll& poll) {
  Store& store = poll.tools.host.store;
  std::map<std::string, HostRecord> records;
  for (HostRecord& record : store.hosts(poll.job.environment.name)) {
    std::string name = record.host;
    records.emplace(std::move(name), std::move(record));
  }
  const std::vector<Suspension> suspensions = store.suspensions(poll.job.environment.name);
  const std::int64_t now = poll.tools.host.clock.wall_ms();
  std::vector<HostView> views;
  for (const Host& host : poll.desired->environment.hosts) {
    const auto suspension = suspension_of(suspensions, host.name, now);
    views.push_back({.host = host.name,
                     .wanted = wanted_of(poll, host.name, suspended_apps(suspensions, host.name, now)),
                     .commit = poll.desired->commit.id,
                     .record = records[host.name],
                     .suspended = suspension ? to_text(*suspension) : ""});
  }
  std::vector<Hold> holds = store.holds(poll.job.environment.name);
  if (poll.desired->environment.rollout.on_failure == OnFailure::rollback_all) {
    hold_where_taken(store, views, holds, now);
  }
  hold_at_gates(poll, holds, views);
  const std::vector<Choice> choices = choose(views, holds);
  std::vector<Wish> wishes;
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (!asked_for(poll.job, views[i].host)) continue;
    wishes.push_back({choices[i], views[i].wanted, views[i].record.state == "unreachable"});
  }
  // Where the commit before failed, the next one may be what mends it.
  std::stable_partition(wishes.begin(), wishes.end(),
                        [&](const Wish& wish) { return records[wish.choice.host].state == "held"; });
  put_begun_first(poll, wishes);
  return wishes;
}

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
  auto poll = std::make_shared<EnvironmentPoll>(EnvironmentPoll{.job = job, .tools = tools});
  poll->desired = desired_now(poll->job, poll->tools, report);
  if (!poll->desired) return report;
  poll->by_hand = tools.host.store.pin(job.environment.name).has_value();
  poll->wishes_now = wishes_of;
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
  for (const Wish& wish : wishes_of(*newest_)) {
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
