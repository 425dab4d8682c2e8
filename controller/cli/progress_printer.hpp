#pragma once

#include <controller/rollout/environment_run.hpp>
#include <controller/rollout/progress.hpp>

#include <iosfwd>
#include <mutex>

namespace holdfast {

/// Prints what happens while it happens, one line an event: "12:04:31  web1  deployed 3f2a…, healthy". As JSON lines
/// for programs. Safe to call from several threads.
class ProgressPrinter {
 public:
  ProgressPrinter(std::ostream& out, bool json, bool colour) : out_(out), json_(json), colour_(colour) {}
  void tell(const Progress& progress);
  /// The last line: what came of it.
  void end(const EnvironmentReport& report);

 private:
  std::ostream& out_;
  bool json_;
  bool colour_;
  std::mutex mutex_;
};

}  // namespace holdfast
