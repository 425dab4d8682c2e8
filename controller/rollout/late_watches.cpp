#include <controller/rollout/late_watches.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <algorithm>
#include <utility>

namespace holdfast {

namespace {

constexpr std::int64_t write_every_ms = 10'000;
constexpr std::int64_t default_every_ms = 5'000;  // until the policy is known
constexpr std::int64_t doubt_ms = 10'000;  // beyond three rounds: who fails is looked at again by then

}  // namespace

LateWatches::~LateWatches() {
  try {
    const std::scoped_lock lock(mutex_);
    write(true);
  } catch (const Error&) {
    // Some seconds of a watch are watched again.
  }
}

void LateWatches::learn(const Environment& environment) {
  std::vector<LateWatch> rows = store_.late_watches(environment.name);
  std::erase_if(rows, [&](const LateWatch& row) {
    const bool gone = std::ranges::find(environment.hosts, row.host, &Host::name) == environment.hosts.end();
    if (gone) store_.remove_late_watch(row);
    return gone;
  });
  const std::scoped_lock lock(mutex_);
  std::erase_if(hosts_, [&](const auto& one) {
    return std::ranges::none_of(rows, [&](const LateWatch& row) {
      return row.host == one.first && row.deployment == one.second.watched.watch.deployment;
    });
  });
  for (const LateWatch& row : rows) {
    if (hosts_.contains(row.host)) continue;
    Entry& entry = hosts_[row.host];
    entry.watched = {.watch = row, .tally = tally_of(row)};
    entry.every_ms = default_every_ms;
  }
}

void LateWatches::begin(LateWatch watch, const LateTally& tally, std::int64_t every_ms) {
  watch.tally = to_json(tally.to_value());
  store_.put_late_watches({watch});
  const std::scoped_lock lock(mutex_);
  Entry& entry = hosts_[watch.host];
  entry = {.every_ms = every_ms, .last_ms = clock_.monotonic_ms()};
  entry.watched = {.watch = std::move(watch), .tally = tally};
}

void LateWatches::end(const std::string& environment, const std::string& host) {
  std::optional<LateWatch> ended;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = hosts_.find(host);
    if (found == hosts_.end() || found->second.watched.watch.environment != environment) return;
    ended = found->second.watched.watch;
    hosts_.erase(found);
  }
  store_.remove_late_watch(*ended);
}

std::vector<std::string> LateWatches::due() {
  const std::int64_t now = clock_.monotonic_ms();
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> hosts;
  for (auto& one : hosts_) {
    Entry& entry = one.second;
    const auto passed = [&](const std::optional<std::int64_t>& at) { return !at || now - *at >= entry.every_ms; };
    if (!passed(entry.last_ms) || !passed(entry.named_ms)) continue;
    entry.named_ms = now;
    hosts.push_back(one.first);
  }
  return hosts;
}

std::optional<LateWatches::Watched> LateWatches::take(const std::string& host) {
  const std::int64_t now = clock_.monotonic_ms();
  const std::scoped_lock lock(mutex_);
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return std::nullopt;
  const Entry& entry = found->second;
  const std::int64_t passed = entry.last_ms ? now - *entry.last_ms : entry.every_ms;
  if (passed < entry.every_ms - entry.every_ms / 10) return std::nullopt;
  Watched watched = entry.watched;
  watched.passed_ms = entry.last_ms ? std::min(passed, 2 * entry.every_ms) : 0;
  return watched;
}

void LateWatches::put(const Watched& watched, std::int64_t every_ms) {
  const std::scoped_lock lock(mutex_);
  const auto found = hosts_.find(watched.watch.host);
  if (found == hosts_.end() || found->second.watched.watch.deployment != watched.watch.deployment) return;
  Entry& entry = found->second;
  const bool turned = entry.watched.tally.failing().empty() != watched.tally.failing().empty();
  entry.watched = watched;
  entry.every_ms = every_ms;
  entry.last_ms = clock_.monotonic_ms();
  entry.written = false;
  write(turned);
}

/// Ten seconds of all hosts in one transaction: a write for each round would be a sync of the disk for each.
void LateWatches::write(bool all) {
  const std::int64_t now = clock_.monotonic_ms();
  if (!all && now - written_ms_ < write_every_ms) return;
  written_ms_ = now;
  std::vector<LateWatch> rows;
  for (auto& [host, entry] : hosts_) {
    if (std::exchange(entry.written, true)) continue;
    entry.watched.watch.tally = to_json(entry.watched.tally.to_value());
    rows.push_back(entry.watched.watch);
  }
  store_.put_late_watches(rows);
}

bool LateWatches::in_doubt() const {
  const std::int64_t now = clock_.monotonic_ms();
  const std::scoped_lock lock(mutex_);
  return std::ranges::any_of(hosts_, [&](const auto& one) {
    const Entry& entry = one.second;
    const bool fresh = entry.last_ms && now - *entry.last_ms < 3 * entry.every_ms + doubt_ms;
    return fresh && !entry.watched.tally.failing().empty();
  });
}

LateTally tally_of(const LateWatch& watch) {
  try {
    return LateTally::from(from_json(watch.tally));
  } catch (const Error&) {
    return {{}, {}};
  }
}

}  // namespace holdfast
