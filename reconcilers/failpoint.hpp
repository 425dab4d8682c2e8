#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

// Named places at which a test build can be made to die, to wait or to fail: before and after everything that leaves a
// trace outside the process. They are found in the program at run time, so that whoever writes
// `HOLDFAST_FAILPOINT("vault.saved");` has it killed there by the drills in tests/faults without another line. In
// release builds (HOLDFAST_FAILPOINTS off) the line is nothing. Not for templates, inline functions and destructors.

namespace holdfast {

/// Every failpoint in this program, sorted; empty in builds without them.
std::vector<std::string> failpoint_names();
/// Writes them, one a line; gives a program's exit code: 2 where there are none.
int list_failpoints(std::ostream& output);

/// Called at every hit from now on, instead of reading a file; what it throws leaves the code that was hit. Empty ends
/// it. For tests that have the code in their own process: not for several threads.
using FailpointHook = std::function<void(const char* name)>;
void set_failpoint_hook(FailpointHook hook);

/// From now on `path` is looked at on every hit. Each of its lines is used once:
///
///     [ROLE:]NAME[#N] ACTION      NAME may be *: the N-th hit of any point in a process of that role
///
/// and taken out of the file before ACTION is done: `kill` (SIGKILL to itself), `wait` (the name is added to PATH.hit,
/// and the process stands still until PATH.go is there), `error:ENOSPC` (an Error as if the system had said so; also
/// EIO, EROFS, EDQUOT), and `trace`, which stays: every hit is added to PATH.trace as "ROLE NAME PROCESS". The role is
/// what the process is, such as the runner's subcommand; hits are counted in each process (PROCESS is its id).
void set_failpoint_file(const std::string& path, const std::string& role);

void hit_failpoint(const char* name);

}  // namespace holdfast

#if defined(HOLDFAST_FAILPOINTS)
#define HOLDFAST_FAILPOINT(name)                                                                                   \
  do {                                                                                                             \
    static const char* const holdfast_failpoint_name __attribute__((section("holdfast_failpoints"), used)) = name; \
    ::holdfast::hit_failpoint(holdfast_failpoint_name);                                                            \
  } while (false)
#else
#define HOLDFAST_FAILPOINT(name) static_cast<void>(0)
#endif
