#pragma once

#include <controller/cli/terminal.hpp>
#include <controller/rollout/environment_run.hpp>
#include <controller/rollout/progress.hpp>

#include <iosfwd>
#include <mutex>

namespace holdfast {

/// Prints what happens while it happens. On a terminal each host has one line that is rewritten, and what it came to
/// stays; elsewhere one line an event: "12:04:31  staging/web1  deployed 3f2a…, healthy". As JSON lines for programs.
/// Safe to call from several threads.
class ProgressPrinter {
 public:
  ProgressPrinter(std::ostream& out, bool json, const Terminal& terminal)
      : out_(out), json_(json), terminal_(terminal), live_(out, terminal) {}
  void tell(const Progress& progress);
  /// The last line: what came of it.
  void end(const EnvironmentReport& report);

 private:
  void tell_live(const Progress& progress);
  void tell_line(const Progress& progress);

  std::ostream& out_;
  bool json_;
  Terminal terminal_;
  LiveLines live_;
  std::mutex mutex_;
};

}  // namespace holdfast
