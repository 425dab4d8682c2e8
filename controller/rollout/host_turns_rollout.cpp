// How far the rollout is, from the store and into it: a controller that begins anew goes on where the last one was.
#include <controller/rollout/host_turns.hpp>

#include <controller/rollout/rollout_note.hpp>
#include <controller/rollout/wishes.hpp>
#include <manifests/error.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::chrono::milliseconds busy_nap{100};  // how soon a turn that waits is seen to wait
constexpr std::chrono::milliseconds idle_nap{5'000};
constexpr std::int64_t write_every_ms = 1'000;

bool same_step(const RolloutPlace& a, const RolloutPlace& b) {
  return a.key == b.key && a.healthy == b.healthy && a.wave == b.wave && a.next_ms == b.next_ms;
}

}  // namespace

void HostTurns::remember_rollout() {
  const Environment& environment = poll_->job.environment;
  auto note = rollout_note(host_.store, environment.name);
  if (!note) return;
  wave_since_ms_ = note->since_ms;
  RolloutPlace& place = note->place;
  if (place.next_ms != 0) {  // no pause is longer than it is now, whatever the clock did meanwhile
    const std::int64_t left = place.next_ms - host_.clock.wall_ms();
    place.next_ms = std::max<std::int64_t>(
        1, host_.clock.monotonic_ms() + std::clamp<std::int64_t>(left, 0, environment.rollout.pause_ms));
  }
  schedule_.remember(place);
}

void HostTurns::write_rollout(bool all) {
  if (!poll_) return;
  RolloutPlace place = schedule_.place();
  if (place == told_place_) return;
  const std::int64_t now = host_.clock.monotonic_ms();
  const bool step = !same_step(place, told_place_) || !schedule_.rollout().waves.empty() || place.left == 0;
  if (!step && !all && now - told_place_ms_ < write_every_ms) return;
  const std::int64_t wall = host_.clock.wall_ms();
  if (!same_step(place, told_place_)) wave_since_ms_ = wall;
  told_place_ = place;
  told_place_ms_ = now;
  const std::size_t left = schedule_.rollout().waves.empty() ? 0 : waves_left(schedule_.rollout(), place);
  if (place.next_ms != 0) place.next_ms += wall - now;
  try {
    put_rollout_note(host_.store, poll_->job.environment.name,
                     {.place = place,
                      .commit = poll_->desired->commit.id,
                      .waves = left == 0 ? 0 : std::max<std::size_t>(place.wave, 1) - 1 + left,
                      .since_ms = wave_since_ms_});
  } catch (const Error& error) {
    tell(*poll_, "", Progress::Level::warning, error.what());
  }
}

/// A commit failed that all go back from: what each host does now, and not with the next poll.
void HostTurns::wish_again() {
  if (!poll_ || !schedule_.take_look_again()) return;
  schedule_.wish_again(wishes_again(*poll_), host_.clock.monotonic_ms());
}

std::chrono::milliseconds HostTurns::nap() const {
  if (!threads_.empty()) return busy_nap;
  const std::int64_t due = schedule_.pausing() ? schedule_.place().next_ms : 0;
  if (due == 0) return idle_nap;
  return std::clamp(std::chrono::milliseconds(due - host_.clock.monotonic_ms()), busy_nap, idle_nap);
}

}  // namespace holdfast
