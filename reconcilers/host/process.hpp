#pragma once

#include <reconcilers/host/system.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// The numbers of an account, found by the caller: a static program has no getpwnam.
struct RunAs {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups{};  // supplementary, with gid
  std::string home = "/";
  std::string name{};
};

/// What every program is found in; never the caller's own PATH.
inline constexpr const char* command_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs `command` in its own process group (and control group, where StepGroup has one) and waits for it: input fed, both
/// streams drained while only their heads and tails are kept. At the deadline the process group gets SIGTERM, two
/// seconds later all of it SIGKILL. What the program leaves running with our pipes in hand is ended one second after it,
/// and in a control group nothing is left of it when this returns. A program that can't be started is a result (exit code -1 and
/// the reason in `err`), not an error. `command.user` is not looked at: `as` decides. Safe to call from many threads.
Output run_process(const Command& command, const std::optional<RunAs>& as);

}  // namespace holdfast
