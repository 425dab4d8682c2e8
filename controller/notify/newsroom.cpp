#include <controller/notify/newsroom.hpp>

#include <algorithm>
#include <utility>

namespace holdfast {

namespace {

constexpr std::int64_t at_least_every_ms = 10'000;
constexpr int most_ended = 10'000;

}  // namespace

Newsroom::Newsroom(std::vector<SinkSettings> sinks, Store& store, NotifyQueue& queue, const Clock& clock)
    : sinks_(std::move(sinks)), store_(store), queue_(queue), clock_(clock) {}

std::size_t Newsroom::look() {
  const std::int64_t now = clock_.monotonic_ms();
  const std::int64_t version = queue_.data_version();  // before the look: what comes meanwhile is seen by the next one
  if (version == version_ && now - looked_ms_ < at_least_every_ms) return 0;
  News news = news_of(input());
  for (Notification& note : news.notes) {
    for (int i = 0; i < 4; ++i) note.id += clock_.random_hex();
    note = tidy(std::move(note));
  }
  if (!news.notes.empty() || !news.taken.empty() || !news.told.empty()) queue_.put(news, sinks_, clock_.wall_ms());
  version_ = version;
  looked_ms_ = now;
  return news.notes.size();
}

bool Newsroom::is_held(const Deployment& deployment) {
  return std::ranges::any_of(store_.holds(deployment.environment), [&](const Hold& hold) {
    return hold.host == deployment.host && hold.commit == deployment.commit;
  });
}

NewsInput Newsroom::input() {
  NewsInput input{.now_ms = clock_.wall_ms()};
  for (const Ended& ended : queue_.ended(most_ended)) {
    auto deployment = store_.deployment(ended.deployment);
    if (!deployment) continue;
    std::vector<std::string> journal;
    const bool failed = deployment->outcome == Outcome::rolled_back || deployment->outcome == Outcome::rollback_failed;
    if (failed) journal = journal_of(store_.events(ended.deployment));
    const bool held = deployment->outcome == Outcome::rolled_back && is_held(*deployment);
    if (deployment->outcome != Outcome::repaired) deployment->plan.clear();  // a thousand of them are much
    deployment->result.clear();
    input.ended.push_back({ended, std::move(*deployment), std::move(journal), held});
  }
  input.rollouts = queue_.rollouts();
  for (const RolloutRecord& rollout : input.rollouts) {
    input.hosts[rollout.environment] = store_.hosts(rollout.environment);
    input.waits[rollout.environment] = store_.waits(rollout.environment);
  }
  input.environments = store_.environments();
  input.root = root_record(store_);
  input.suspensions = store_.suspensions("");
  input.told = queue_.told();
  return input;
}

}  // namespace holdfast
