#include <controller/rollout/host_turns.hpp>

#include <controller/rollout/late_watches.hpp>
#include <manifests/error.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <system_error>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t short_id = 12;
constexpr std::int64_t write_seen_every_ms = 60'000;

double random_part(const Clock& clock) {
  constexpr double most = 4294967295.0;
  return static_cast<double>(std::stoul(clock.random_hex(), nullptr, 16)) / most;
}

std::string seconds(std::int64_t ms) { return std::to_string(ms / 1000) + " s"; }

}  // namespace

HostTurns::HostTurns(HostTools& host, const ScheduleLimits& limits)
    : host_(host), schedule_(limits, [&host] { return random_part(host.clock); }), driver_([this] { drive(); }) {}

HostTurns::~HostTurns() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  driver_.join();
}

void HostTurns::poll(std::shared_ptr<EnvironmentPoll> poll, const Rollout& rollout, const std::vector<Wish>& wishes) {
  {
    const std::scoped_lock lock(mutex_);
    const std::int64_t now = host_.clock.monotonic_ms();
    poll_ = std::move(poll);
    if (!std::exchange(remembered_, true)) remember_rollout();
    if (std::exchange(told_caught_up_, false)) {
      begun_ = poll_->begun;
      results_.clear();
    }
    for (const Schedule::Busy& busy : schedule_.poll(rollout, wishes, now)) {
      tell(*poll_, busy.host, Progress::Level::warning,
           "still busy with the turn that began " + seconds(now - busy.since_ms) + " ago: passed over until it ends");
    }
  }
  changed_.notify_all();
}

bool HostTurns::wake(const Wish& wish) {
  {
    const std::scoped_lock lock(mutex_);
    if (!schedule_.wake(wish, host_.clock.monotonic_ms())) return false;
    if (!schedule_.caught_up() && std::exchange(told_caught_up_, false)) {
      begun_ = std::chrono::steady_clock::now();
      results_.clear();
    }
  }
  changed_.notify_all();
  return true;
}

std::vector<HostReport> HostTurns::wait() {
  std::unique_lock lock(mutex_);
  told_caught_up_ = true;  // who waits for all is told of each
  changed_.wait(lock, [this] { return schedule_.idle() && finished_.empty() && threads_.empty(); });
  write_seen(true);
  write_rollout(true);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  std::vector<HostReport> reports;
  for (auto& [name, report] : std::exchange(reports_, {})) reports.push_back(std::move(report));
  return reports;
}

void HostTurns::drive() {
  std::unique_lock lock(mutex_);
  for (;;) {
    reap();
    if (stopping_ && threads_.empty()) break;
    if (!stopping_) {
      const std::int64_t now = host_.clock.monotonic_ms();
      try {
        wish_again();
        for (const std::string& host : schedule_.take_stopped()) {
          schedule_.instead(wait_for_fix(host_.store, poll_->job.environment.name, host), now);
        }
      } catch (const Error&) {
        error_ = std::current_exception();
      }
      schedule_.doubt(host_.late != nullptr && host_.late->in_doubt());
      for (const Choice& choice : schedule_.start(now)) begin(choice);
      tell_caught_up();
      write_seen(false);
      write_rollout(false);
    }
    if (schedule_.idle()) changed_.notify_all();
    if (!finished_.empty()) continue;
    changed_.wait_for(lock, nap());
  }
  write_seen(true);
  write_rollout(true);
}

/// Their last words were said with the lock held, so that joining them here waits for nothing.
void HostTurns::reap() {
  for (const std::string& host : std::exchange(finished_, {})) {
    const auto found = threads_.find(host);
    found->second.join();
    threads_.erase(found);
  }
}

void HostTurns::begin(const Choice& choice) {
  try {
    threads_[choice.host] = std::thread([this, poll = poll_, choice] { take(*poll, choice); });
  } catch (const std::system_error& error) {
    threads_.erase(choice.host);
    tell(*poll_, choice.host, Progress::Level::bad, std::string("no thread for its turn: ") + error.what());
    schedule_.ended(choice.host, HostResult::unknown, false, host_.clock.monotonic_ms());
  }
}

void HostTurns::take(EnvironmentPoll& poll, const Choice& choice) {
  std::int64_t seen_ms = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto seen = seen_ms_.find(choice.host); seen != seen_ms_.end()) seen_ms = seen->second;
  }
  TurnQuestions questions;
  questions.may_begin = [this, &choice] {
    const std::scoped_lock lock(mutex_);
    return !stopping_ && schedule_.may_begin(choice.host, host_.clock.monotonic_ms());
  };
  questions.superseded = [this, &choice] {
    const std::scoped_lock lock(mutex_);
    if (!schedule_.overtaken(choice.host)) return std::string();
    if (schedule_.goes_back()) return std::string("it failed on another host, and all hosts go back");
    return "superseded by " + poll_->desired->commit.id.substr(0, short_id) + ", which is wanted now";
  };
  try {
    ended(poll, choice, take_host_turn(poll, choice, seen_ms, questions));
  } catch (...) {
    failed(poll, choice);
  }
  changed_.notify_all();
}

void HostTurns::ended(const EnvironmentPoll& poll, const Choice& choice, const HostTurn& turn) {
  const std::scoped_lock lock(mutex_);
  const bool answered = turn.asked && turn.outcome != HostResult::unreachable && turn.outcome != HostResult::unknown &&
                        turn.outcome != HostResult::busy;
  if (answered) {
    const std::int64_t now = host_.clock.wall_ms();
    seen_ms_[choice.host] = now;
    unwritten_[choice.host] = now;
    if (schedule_.failures(choice.host) != 0) tell(poll, choice.host, Progress::Level::good, "answers again");
  }
  schedule_.ended(choice.host, turn.outcome, turn.asked, host_.clock.monotonic_ms());
  reports_.insert_or_assign(choice.host, turn.report);
  finished_.push_back(choice.host);
  ++results_[to_text(turn.report.result)];
}

void HostTurns::failed(const EnvironmentPoll& poll, const Choice& choice) {
  const std::scoped_lock lock(mutex_);
  error_ = std::current_exception();
  try {
    std::rethrow_exception(error_);
  } catch (const std::exception& error) {
    tell(poll, choice.host, Progress::Level::bad, error.what());
  }
  schedule_.ended(choice.host, HostResult::unknown, false, host_.clock.monotonic_ms());
  finished_.push_back(choice.host);
}

/// For whoever wants to know how fast it is: at the level that is silent by default.
void HostTurns::tell_caught_up() {
  if (told_caught_up_ || !schedule_.caught_up()) return;
  told_caught_up_ = true;
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun_;
  std::string text;
  for (const auto& [result, count] : results_) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(result);
  }
  if (const std::size_t slow = schedule_.running(Lane::slow); slow != 0) {
    text += (text.empty() ? "" : ", ") + std::to_string(slow) + " still busy";
  }
  std::array<char, 32> milliseconds{};
  std::snprintf(milliseconds.data(), milliseconds.size(), "%.1f", took.count());
  tell(*poll_, "", Progress::Level::detail,
       std::string("turn took ") + milliseconds.data() + " ms: " + (text.empty() ? "no host" : text));
}

/// One transaction a minute: a write for each host and tick would be a sync of the disk for each.
void HostTurns::write_seen(bool all) {
  const std::int64_t now = host_.clock.monotonic_ms();
  if (unwritten_.empty() || (!all && now - written_ms_ < write_seen_every_ms)) return;
  try {
    host_.store.saw_hosts(poll_->job.environment.name, unwritten_);
  } catch (const Error& error) {
    tell(*poll_, "", Progress::Level::warning, error.what());
  }
  unwritten_.clear();
  written_ms_ = now;
}

void HostTurns::tell(const EnvironmentPoll& poll, const std::string& host, Progress::Level level,
                     const std::string& text) const {
  if (host_.on_progress) host_.on_progress({level, poll.job.environment.name, host, text});
}

}  // namespace holdfast
