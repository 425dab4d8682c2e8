#pragma once

#include <reconcilers/host/linux_paths.hpp>

#include <string>

namespace holdfast {

/// A control group of its own for one program and all that it starts: what forks twice and takes a session of its own
/// gets away from its process group, and not from here. Needs version 2, and a group that systemd gave us to divide
/// (`Delegate=`): our transient units have one. Elsewhere it holds nothing, and process groups have to do.
class StepGroup {
 public:
  /// A new group below the one that this process is in. Never throws: without one things go as they went before.
  StepGroup();
  /// Kills what is still in it, waits (2 s at most) until it is gone, and removes it.
  ~StepGroup();
  StepGroup(const StepGroup&) = delete;
  StepGroup& operator=(const StepGroup&) = delete;

  explicit operator bool() const { return static_cast<bool>(entry_); }
  /// Who writes "0" to this file moves in: made for a child between fork and exec. -1 where there is no group.
  [[nodiscard]] int entry() const { return entry_.get(); }
  /// SIGKILL to everything in it, also to what is being forked at that moment.
  void kill() const;

 private:
  std::string folder_{};
  Fd entry_{};
};

/// Ends the programs that a runner which died has left running in the groups of its unit ("holdfast-ID.service").
void end_steps_of(const std::string& unit);

}  // namespace holdfast
