#pragma once

#include "checker.hpp"
#include "controller.hpp"

#include <optional>
#include <string>

namespace holdfast::simulation {

/// What goes wrong, drawn from the seed: processes killed, power cut, connections reset, networks parted and slow,
/// disks that fail, files edited, clocks set, controllers stopped, killed, and robbed of their state. Much of it
/// strikes at a point that the code under test reaches, counted from when the fault was drawn, so that every place is
/// hit.
class Nemesis {
 public:
  Nemesis(Machine& machine, std::vector<std::unique_ptr<Host>>& hosts,
          std::vector<std::unique_ptr<ControllerHost>>& controllers, Checker& checker)
      : machine_(machine), hosts_(hosts), controllers_(controllers), checker_(checker) {}

  /// Draws one fault; it strikes now or later.
  void strike();
  void reaches_point(Process& process, const std::string& point);
  /// Nothing more goes wrong, and what can be mended is.
  void end();
  [[nodiscard]] int count() const { return count_; }

 private:
  enum class Kind {
    kill_runner,
    cut_power,
    reset,
    partition,
    slow,
    disk,
    edit,
    clock,
    kill_controller,
    stop_controller,
    lose_state
  };
  struct Armed {
    Kind kind = Kind::kill_runner;
    Computer* target = nullptr;
    std::uint64_t hits = 0;  // until it strikes
  };
  void act(const Armed& fault);
  void act_on_host(Kind kind, Host& host);
  void act_on_controller(Kind kind, ControllerHost& controller);
  [[nodiscard]] Time some(Time least, Time most);

  Machine& machine_;
  std::vector<std::unique_ptr<Host>>& hosts_;
  std::vector<std::unique_ptr<ControllerHost>>& controllers_;
  Checker& checker_;
  std::optional<Armed> armed_{};
  int count_ = 0;
  bool over_ = false;
};

}  // namespace holdfast::simulation
