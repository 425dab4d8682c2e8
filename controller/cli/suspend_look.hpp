#pragma once

#include <controller/cli/look_commands.hpp>

#include <iosfwd>
#include <vector>

namespace holdfast {

/// What is suspended, as `status` prints it and tells it in its record.
void print_suspensions(const std::vector<Suspension>& suspensions, const LookOptions& options, std::ostream& out);
Value suspensions_record(const std::vector<Suspension>& suspensions);

}  // namespace holdfast
