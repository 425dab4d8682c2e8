#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace holdfast::simulation {

/// Virtual time, nanoseconds since the simulation began.
using Time = std::int64_t;
inline constexpr Time never = std::numeric_limits<Time>::max();
inline constexpr Time ms = 1'000'000;
inline constexpr Time second = 1'000 * ms;

struct Computer;  // what a process runs on: it has a clock and a boot of its own
struct Task;      // one thread of a process

/// What lives and dies together: a runner on a host, a controller. Killed, it never runs another instruction and no
/// destructor; what it held of the simulated world (ends of connections, locks) is taken from it.
struct Process {
  int id = 0;
  std::string name{};
  Computer* computer = nullptr;
  std::function<void(bool killed)> on_end{};
  std::vector<std::unique_ptr<Task>> threads{};
  std::set<int> locks{};                        // descriptors with a lock on them
  std::vector<std::function<void()>> at_end{};  // gives back what it held, however it ended
  std::string failure{};                        // what it died of by itself
  Time frozen_until = 0;                        // stopped by a signal until then
  bool ended = false;
};

/// One machine room in one thread of the test program. Every simulated thread is a coroutine; one runs at a time, until
/// it waits for something or reaches a point at which others may go first. Who goes next, and what the points do, is
/// drawn from the seed; when everybody waits, time jumps to the next thing that is due. So a seed gives one course of
/// events, and minutes of waiting cost nothing.
///
/// The code under test knows nothing of it: tests/simulation/libc.cpp puts itself between that code and the C library,
/// where clocks, sleeps, threads, locks, and the descriptors of connections are.
class Machine {
 public:
  explicit Machine(std::uint64_t seed);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  Process& start(std::string name, Computer* computer, std::function<void()> body,
                 std::function<void(bool killed)> on_end = {});
  /// A further thread of the running process; gives its number.
  std::uint64_t start_thread(std::function<void()> body);
  [[nodiscard]] bool has_ended(std::uint64_t thread) const;
  /// Of itself it does not return.
  void kill(Process& process);
  /// Runs until nothing is left to do, or until `stop` or the time is over.
  void run(Time until);
  void stop() { stopped_ = true; }

  /// Inside a thread: waits until `ready` says so or the time has come; false for the latter. `ready` is asked often
  /// and changes nothing.
  bool wait(const std::function<bool()>& ready, Time until);
  void sleep(Time time) {
    wait([] { return false; }, now_ + time);
  }
  /// A place where the running process may be interrupted, killed, or made to fail.
  void point(const std::string& name);
  /// What a point may bring besides: called in the thread that reached it.
  std::function<void(Process&, const std::string&)> on_point{};
  /// Something that threads wait for may have happened then.
  void alarm(Time at) { alarms_.insert(at); }
  void at(Time time, std::function<void()> event) { events_.emplace(time, std::move(event)); }

  [[nodiscard]] Time now() const { return now_; }
  /// A clock that never stands still: every look takes a moment.
  Time look_at_clock() { return now_ += 200; }
  [[nodiscard]] Process* running() const;
  [[nodiscard]] bool is_inside() const { return current_ != nullptr; }

  /// Uniform below `bound`.
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  std::uint64_t random(std::uint64_t bound) { return bound == 0 ? 0 : random_() % bound; }
  bool chance(double part) { return static_cast<double>(random_() >> 11U) * 0x1.0p-53 < part; }

  /// Everything that happens goes into the trace: its digest tells whether two courses of events were the same.
  void trace(const std::string& line);
  [[nodiscard]] std::uint64_t trace_digest() const { return digest_; }
  std::function<void(const std::string&)> on_trace{};
  std::string hidden{};  // left out of the trace: where the simulation lies on this machine

  /// When files that code names by path were last changed: the kernel would say it in real time.
  std::map<std::string, Time> modified{};

  // Condition variables of the code under test, by address.
  struct Waiter {
    bool signaled = false;
  };
  std::map<const void*, std::deque<std::shared_ptr<Waiter>>> conditions{};

 private:
  friend struct Task;
  void resume(Task& task);
  void leave();
  Task* pick();
  bool advance(Time until);
  void end(Process& process, bool killed);
  std::unique_ptr<Task> make_task(Process& process, std::function<void()> body);

  std::uint64_t seed_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<Process>> processes_{};
  std::multiset<Time> alarms_{};
  std::multimap<Time, std::function<void()>> events_{};
  std::vector<char*> stacks_{};  // of threads that ended
  std::map<std::uint64_t, bool> threads_ended_{};
  Task* current_ = nullptr;
  std::unique_ptr<Task> self_;
  Time now_ = 0;
  std::uint64_t digest_ = 14695981039346656037ULL;
  std::uint64_t threads_ = 0;
  int next_process_ = 100;
  bool stopped_ = false;
};

/// The one that is running; null outside.
Machine* machine();

/// Where a process runs: its clocks count from its boot.
struct Computer {
  std::string name{};
  Time booted = 0;
  Time wall_offset = 0;     // what its wall clock is ahead
  std::string boot_file{};  // holds the id of this boot; empty: the real machine's
  double failing_disk = 0;  // how many writes and syncs fail
  int failing_error = 0;
};

}  // namespace holdfast::simulation
