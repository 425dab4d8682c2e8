#pragma once

#include "machine.hpp"

#include <reconcilers/host/system.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::simulation {

class Host;

/// What systemd does on a host, as far as the runner asks for it: units that read their files when they start, jobs
/// that go on when who asked for them is dead, transient services and timers that end with the boot.
///
/// A service does what the configuration says that it read when it started (the last word of its ExecStart names it):
/// `mode=dies` after its start, `mode=dies-late`, `mode=flaps`; with `mode=sick` its check fails, with `mode=fades` some time later; anything else runs.
class Init {
 public:
  explicit Init(Host& host) : host_(host) {}

  [[nodiscard]] System::UnitProperties properties(const std::string& unit, const std::vector<std::string>& wanted);
  bool start_transient(const TransientUnit& unit);
  bool stop_timer(const std::string& timer);
  /// A program that the runner starts; what there is no model of does not exist.
  Output run(const Command& command);

  /// The power is gone.
  void clear();
  /// At boot: every unit that is enabled.
  void start_enabled();

  /// For the checks of a simulation.
  struct Unit {
    std::optional<std::string> file{};  // as systemd knows it
    std::string active = "inactive";
    std::string sub = "dead";
    std::string result = "success";
    std::string invocation{};
    std::string configuration{};  // as its process read it
    int restarts = 0;
    int starts = 0;
    Time started = 0;
    Time changed = 0;
    Time entered = 0;
    Time left = 0;
  };
  [[nodiscard]] const Unit* unit(const std::string& name) const;
  [[nodiscard]] bool has_transients() const { return !transients_.empty(); }

 private:
  struct Transient {
    TransientUnit unit{};
    bool running = false;
    bool stopped = false;  // the timer
    int number = 0;
  };
  Unit& known(const std::string& name);
  [[nodiscard]] std::optional<std::string> file_of(const std::string& name) const;
  [[nodiscard]] bool is_enabled(const std::string& name) const;
  [[nodiscard]] Time monotonic_us(Time time) const;
  Output systemctl(const std::vector<std::string>& words);
  Output job(const std::string& verb, const std::string& unit);
  void set(Unit& unit, const std::string& active, const std::string& sub);
  void start(const std::string& name);
  void stop(const std::string& name);
  void dies(const std::string& name, Time after, bool again);
  void fire(const std::string& name, int number);
  void run_transient(const std::string& name);

  Host& host_;
  std::map<std::string, Unit> units_{};
  std::map<std::string, Transient> transients_{};
  int invocations_ = 0;
  int epoch_ = 0;  // of the boot
};

}  // namespace holdfast::simulation
