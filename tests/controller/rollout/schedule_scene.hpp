#pragma once

#include <controller/rollout/schedule.hpp>

#include <set>
#include <string>
#include <vector>

namespace holdfast::test {

inline std::string name_of(int number) { return "h" + std::to_string(1000 + number); }

/// An environment of hosts that are polled every 30 s.
class Polled {
 public:
  explicit Polled(int hosts, const ScheduleLimits& limits = {}) : schedule_(limits, [] { return 0.5; }) {
    for (int i = 0; i < hosts; ++i) wishes_.push_back({{name_of(i), Turn::steady, ""}, "old", false});
  }

  std::vector<Schedule::Busy> poll() { return schedule_.poll({.key = goal_, .canary = canary}, wishes_, now_); }
  /// Everybody should be something else now.
  void want(const std::string& goal) {
    goal_ = goal;
    for (Wish& wish : wishes_) {
      wish.goal = goal;
      wish.choice.turn = Turn::advance;
    }
  }
  Wish& wish(int number) { return wishes_.at(static_cast<std::size_t>(number)); }
  void remove_last() { wishes_.pop_back(); }

  /// The names that begin now, in order.
  std::vector<std::string> start() {
    std::vector<std::string> names;
    for (const Choice& choice : schedule_.start(now_)) names.push_back(choice.host);
    return names;
  }
  void end(const std::string& host, HostResult result = HostResult::unchanged) {
    if (result == HostResult::deployed) wish(number_of(host)).choice.turn = Turn::steady;
    schedule_.ended(host, result, true, now_);
  }
  /// Begins and ends turns until nothing more begins; those of `stuck` do not end. The names in the order they ended.
  std::vector<std::string> run(const std::set<std::string>& stuck, HostResult result = HostResult::unchanged) {
    std::vector<std::string> done;
    for (std::vector<std::string> begun = start(); !begun.empty(); begun = start()) {
      for (const std::string& host : begun) {
        if (stuck.contains(host)) continue;
        if (result == HostResult::deployed && !may_begin(host)) {
          end(host, HostResult::waiting);
          continue;
        }
        end(host, result);
        done.push_back(host);
      }
    }
    return done;
  }
  bool may_begin(const std::string& host) { return schedule_.may_begin(host, now_); }
  void pass(std::int64_t ms) { now_ += ms; }
  Schedule& schedule() { return schedule_; }

  int canary = 1;

 private:
  static int number_of(const std::string& host) { return std::stoi(host.substr(1)) - 1000; }

  Schedule schedule_;
  std::vector<Wish> wishes_;
  std::string goal_ = "old";
  std::int64_t now_ = 1'000'000;
};

inline std::set<std::string> names(int from, int to) {
  std::set<std::string> list;
  for (int i = from; i < to; ++i) list.insert(name_of(i));
  return list;
}

}  // namespace holdfast::test
