#pragma once

#include <controller/cli/look_commands.hpp>
#include <controller/store/store.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace holdfast {

/// The hosts that have a new commit and are watched for a while yet, for `status`.
void print_late_watches(const std::vector<LateWatch>& watches, const LookOptions& options, std::ostream& out);
Value late_watches_record(const std::vector<LateWatch>& watches);

}  // namespace holdfast
