#include <controller/notify/courier.hpp>

#include <algorithm>
#include <utility>

namespace holdfast {

namespace {

constexpr std::int64_t first_pause_ms = 1'000;
constexpr std::int64_t longest_pause_ms = 600'000;
constexpr int most_doublings = 10;
constexpr std::int64_t give_up_ms = 86'400'000;
constexpr int most_tries = 3;  // of what is not taken

std::string new_id(const Clock& clock) {
  std::string id;
  for (int i = 0; i < 4; ++i) id += clock.random_hex();
  return id;
}

}  // namespace

Courier::Courier(SinkSettings sink, NotifyQueue& queue, const Clock& clock, OnProgress on_progress,
                 const std::atomic<bool>& stop)
    : sink_(std::move(sink)), queue_(queue), clock_(clock), on_progress_(std::move(on_progress)), stop_(stop) {}

std::int64_t Courier::turn() {
  while (!stop_) {
    const std::int64_t left = due_ms_ - clock_.monotonic_ms();
    if (left > 0) return left;
    const auto one = queue_.next(sink_.name);
    if (!one) return nothing_waits;
    if (clock_.wall_ms() - one->made_ms > give_up_ms) {
      queue_.give_up(*one);
      tell(Progress::Level::bad, "given up after a day: " + title_of(one->note));
      continue;
    }
    if (!tell_of_dropped() || deliver(*one) == Step::wait)
      return std::max<std::int64_t>(1, due_ms_ - clock_.monotonic_ms());
  }
  return 0;
}

Courier::Step Courier::deliver(const Delivery& one) {
  if (sent_ != one.id) {
    const SendResult result = send_to(sink_, one.note, stop_);
    if (result.state != SendResult::State::delivered) {
      if (stop_) return Step::wait;  // says nothing about the sink
      queue_.failed(one, result.why, clock_.wall_ms());
      if (result.state == SendResult::State::never && one.tries + 1 >= most_tries) return refused(one, result);
      failed(result);
      return Step::wait;
    }
    sent_ = one.id;
  }
  queue_.delivered(one, clock_.wall_ms());
  sent_ = 0;
  worked();
  return Step::delivered;
}

Courier::Step Courier::refused(const Delivery& one, const SendResult& result) {
  queue_.give_up(one);
  tell(Progress::Level::bad, "does not take \"" + title_of(one.note) + "\": " + result.why + "; it is given up");
  return Step::delivered;
}

void Courier::failed(const SendResult& result) {
  if (said_ != result.why)
    tell(Progress::Level::warning, "fails: " + result.why + "; what is told waits and is tried again");
  said_ = result.why;
  due_ms_ = clock_.monotonic_ms() + pause_ms(result.wait_ms);
  ++failures_;
}

void Courier::worked() {
  if (failures_ != 0) tell(Progress::Level::good, "works again");
  failures_ = 0;
  said_.clear();
}

/// False where the sink is still away.
bool Courier::tell_of_dropped() {
  for (const SinkRecord& record : queue_.sinks()) {
    if (record.name != sink_.name || record.dropped == 0) continue;
    const Notification note{.id = new_id(clock_),
                            .event = "dropped",
                            .at_ms = clock_.wall_ms(),
                            .reason = std::to_string(record.dropped) + " more were dropped while this sink was away"};
    const SendResult result = shows_status(sink_) ? SendResult{} : send_to(sink_, note, stop_);
    if (result.state == SendResult::State::later) {
      if (!stop_) failed(result);
      return false;
    }
    queue_.told_of_dropped(sink_.name, record.dropped);
    tell(Progress::Level::warning, std::to_string(record.dropped) + " notifications were dropped while it was away");
  }
  return true;
}

std::int64_t Courier::pause_ms(std::int64_t asked_ms) const {
  const std::int64_t pause = std::min(first_pause_ms << std::min(failures_, most_doublings), longest_pause_ms);
  const auto random = static_cast<std::int64_t>(std::stoul(clock_.random_hex(), nullptr, 16));
  return std::max(asked_ms, pause - random % (pause / 4));  // never beyond the longest
}

void Courier::tell(Progress::Level level, const std::string& text) const {
  if (on_progress_) on_progress_({level, "", "", "notify " + sink_.name + ": " + text});
}

}  // namespace holdfast
