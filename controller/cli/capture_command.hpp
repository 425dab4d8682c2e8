#pragma once

#include <controller/cli/context.hpp>

#include <iosfwd>
#include <string>

namespace holdfast {

struct CaptureOptions {
  std::string host{};
  std::string environment{};  // empty: the one that has the host
  std::string branch{};       // empty: holdfast/capture/HOST-TIME
  bool json = false;
};

/// `holdfast capture HOST`: what was changed by hand on a host, compared with its last verified commit, as a commit on
/// that one, pushed as a new branch. 0 where all of it could be taken or nothing differs, 3 where some was left, 1 where
/// nothing could be taken.
int capture_command(Context& context, const CaptureOptions& options, std::ostream& out);

}  // namespace holdfast
