#pragma once

#include <controller/cli/context.hpp>

#include <iosfwd>
#include <string>

namespace holdfast {

struct OverrideOptions {
  std::string environment{};
  std::string reason{};
  std::string duration = "1h";
  bool end = false;
  bool json = false;
};

/// `holdfast override ENV --reason TEXT [--for 2h]`: lets the commit that is wanted now past windows, freezes and gates
/// for that time; `--end` ends it. Recorded in the state and for the audit branch. 0, or 1 where there was none to end.
int override_command(Context& context, const OverrideOptions& options, std::ostream& out);

}  // namespace holdfast
