#include <controller/rollout/waves.hpp>

#include <algorithm>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t most_named = 100;

std::size_t size_of(const Rollout& rollout, std::size_t wave) {
  if (rollout.waves.empty()) return Waves::all;
  return rollout.waves[std::min(std::max<std::size_t>(wave, 1), rollout.waves.size()) - 1];
}

}  // namespace

std::size_t waves_left(const Rollout& rollout, const RolloutPlace& place) {
  std::size_t hosts = place.left;
  if (place.wave == 0) {
    const auto canaries = static_cast<std::size_t>(std::max(0, rollout.canary - place.healthy));
    hosts -= std::min(hosts, canaries);
  }
  std::size_t waves = 0;
  for (std::size_t wave = std::max<std::size_t>(place.wave, 1); hosts != 0; ++wave, ++waves) {
    const std::size_t taken = waves == 0 && place.wave != 0 ? place.taken : 0;
    const std::size_t size = size_of(rollout, wave);
    hosts -= std::min(hosts, size - std::min(size, taken));
  }
  return waves;
}

bool Waves::begin(const Rollout& rollout) {
  const bool another = rollout.key != rollout_.key;
  rollout_ = rollout;
  if (!another) return false;
  const RolloutPlace remembered = std::exchange(remembered_, {});
  begin_again();
  done_.clear();
  if (remembered.key == rollout.key) {
    place_ = remembered;
    // What ran is asked of its host before anything else, and takes its place again.
    place_.taken -= std::min(place_.taken, std::exchange(place_.running, 0));
  }
  place_.key = rollout.key;
  return true;
}

void Waves::begin_again() {
  place_ = {.key = rollout_.key};
  canary_.clear();
  running_.clear();
  changed_ = false;
}

std::size_t Waves::size() const { return size_of(rollout_, place_.wave); }

std::size_t Waves::room(std::int64_t now_ms) const {
  if (!proven()) return canary_.empty() ? 1 : 0;
  if (place_.next_ms > now_ms) return 0;
  const bool over = place_.next_ms != 0;  // the pause: the next wave has not taken anybody yet
  const std::size_t taken = over ? 0 : place_.taken;
  return size() - std::min(size(), taken);
}

bool Waves::take(const std::string& host, std::int64_t now_ms) {
  if (!proven()) {
    if (!canary_.empty() && canary_ != host) return false;
    canary_ = host;
    place_.hosts = {host};
    changed_ = true;
    return true;
  }
  if (running_.contains(host)) return true;
  if (room(now_ms) == 0) return false;
  if (place_.next_ms != 0) {
    place_.next_ms = 0;
    place_.taken = 0;
    place_.hosts.clear();
  }
  place_.wave = std::max<std::size_t>(place_.wave, 1);
  if (place_.taken == 0) place_.hosts.clear();
  ++place_.taken;
  if (place_.hosts.size() < most_named) place_.hosts.push_back(host);
  running_.insert(host);
  place_.running = running_.size();
  changed_ = true;
  return true;
}

void Waves::done(const std::string& host, std::int64_t now_ms) {
  done_.insert(host);
  if (canary_ == host) canary_.clear();
  const bool was_proven = proven();
  if (!was_proven) ++place_.healthy;
  running_.erase(host);
  place_.running = running_.size();
  if (!was_proven && proven()) return close(now_ms);
  if (was_proven && running_.empty() && place_.taken != 0 && place_.taken >= size()) close(now_ms);
}

void Waves::gave_up(const std::string& host) {
  if (canary_ == host) canary_.clear();
  if (running_.erase(host) == 0) return;
  place_.running = running_.size();
  --place_.taken;
  std::erase(place_.hosts, host);
}

/// Where nobody had anything to change there is nothing to wait for.
void Waves::close(std::int64_t now_ms) {
  ++place_.wave;
  place_.taken = 0;
  place_.next_ms = rollout_.pause_ms > 0 && std::exchange(changed_, false) ? now_ms + rollout_.pause_ms : 0;
}

}  // namespace holdfast
