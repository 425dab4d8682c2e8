#pragma once

#include <controller/cli/look_commands.hpp>
#include <manifests/value.hpp>

#include <iosfwd>
#include <string>

namespace holdfast {

/// What an environment waits for, as `status` has it: a list of records.
List waits_record(Store& store, const std::string& environment);
/// The override that is in force, or null.
Value override_record(Store& store, const std::string& environment, std::int64_t now_ms);
/// The same for people: a line each, nothing where nothing waits and nothing is overridden.
void print_gates(Store& store, const std::string& environment, const LookOptions& options, std::ostream& out);

}  // namespace holdfast
