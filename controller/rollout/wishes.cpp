#include <controller/rollout/wishes.hpp>

#include <controller/rollout/gated.hpp>
#include <controller/rollout/suspension.hpp>
#include <controller/rollout/take_back.hpp>

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

std::vector<HostView> views_of(const EnvironmentPoll& poll) {
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
  return views;
}

std::vector<Hold> holds_of(const EnvironmentPoll& poll, const std::vector<HostView>& views) {
  Store& store = poll.tools.host.store;
  std::vector<Hold> holds = store.holds(poll.job.environment.name);
  end_taken_back(store, views, holds, poll.tools.host.clock.wall_ms());
  if (poll.desired->environment.rollout.on_failure == OnFailure::rollback_all) {
    hold_where_taken(store, views, holds, poll.tools.host.clock.wall_ms());
  }
  return holds;
}

std::vector<Wish> wishes_from(const EnvironmentPoll& poll, const std::vector<HostView>& views,
                              const std::vector<Hold>& holds) {
  const std::vector<Choice> choices = choose(views, holds);
  std::vector<Wish> wishes;
  std::set<std::string> held;
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (views[i].record.state == "held") held.insert(views[i].host);
    if (!asked_for(poll.job, views[i].host)) continue;
    wishes.push_back({choices[i], views[i].wanted, views[i].record.state == "unreachable"});
  }
  // Where the commit before failed, the next one may be what mends it.
  std::stable_partition(wishes.begin(), wishes.end(),
                        [&](const Wish& wish) { return held.contains(wish.choice.host); });
  put_begun_first(poll, wishes);
  return wishes;
}

}  // namespace

std::vector<Wish> wishes_of(EnvironmentPoll& poll) {
  std::vector<HostView> views = views_of(poll);
  const std::vector<Hold> holds = holds_of(poll, views);
  hold_at_gates(poll, holds, views);
  for (const HostView& view : views) poll.waits[view.host] = view.waits;
  return wishes_from(poll, views, holds);
}

std::vector<Wish> wishes_again(const EnvironmentPoll& poll) {
  std::vector<HostView> views = views_of(poll);
  const std::vector<Hold> holds = holds_of(poll, views);
  for (HostView& view : views) {
    if (const auto found = poll.waits.find(view.host); found != poll.waits.end()) view.waits = found->second;
  }
  return wishes_from(poll, views, holds);
}

}  // namespace holdfast
