#pragma once

#include <controller/rollout/host_turn.hpp>
#include <controller/rollout/schedule.hpp>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {

/// The hosts' turns of one environment as threads: a Schedule decides, this begins what it says and tells it what came
/// of it. A thread lasts as long as its host's turn, so their number is what the lanes allow.
class HostTurns {
 public:
  HostTurns(HostTools& host, const ScheduleLimits& limits);
  ~HostTurns();
  HostTurns(const HostTurns&) = delete;
  HostTurns& operator=(const HostTurns&) = delete;

  void poll(std::shared_ptr<EnvironmentPoll> poll, const Rollout& rollout, const std::vector<Wish>& wishes);
  /// One host's turn beside those of the newest poll; false where the host is busy.
  bool wake(const Wish& wish);
  std::vector<HostReport> wait();

 private:
  void drive();
  void reap();
  void begin(const Choice& choice);
  void take(EnvironmentPoll& poll, const Choice& choice);
  void ended(const EnvironmentPoll& poll, const Choice& choice, const HostTurn& turn);
  void failed(const EnvironmentPoll& poll, const Choice& choice);
  void write_seen(bool all);
  void remember_rollout();
  void write_rollout(bool all);
  void wish_again();
  [[nodiscard]] std::chrono::milliseconds nap() const;
  void tell_caught_up();
  void tell(const EnvironmentPoll& poll, const std::string& host, Progress::Level level, const std::string& text) const;

  HostTools& host_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Schedule schedule_;
  std::shared_ptr<EnvironmentPoll> poll_{};  // the newest
  std::map<std::string, std::thread> threads_{};
  std::vector<std::string> finished_{};  // whose thread is at its end
  std::map<std::string, HostReport> reports_{};
  std::map<std::string, std::int64_t> seen_ms_{};    // when each answered last
  std::map<std::string, std::int64_t> unwritten_{};  // of those, what the store does not have yet
  std::int64_t written_ms_ = 0;
  bool remembered_ = false;  // the rollout that was under way before this process
  RolloutPlace told_place_{};
  std::int64_t told_place_ms_ = 0;
  std::int64_t wave_since_ms_ = 0;
  std::chrono::steady_clock::time_point begun_{};  // of the oldest poll or event whose end is not told yet
  std::map<std::string_view, int> results_{};      // of the turns that ended since
  bool told_caught_up_ = true;
  std::exception_ptr error_{};
  bool stopping_ = false;
  std::thread driver_;  // last: it uses all of the above
};

}  // namespace holdfast
