#pragma once

#include <reconcilers/host/systemctl.hpp>
#include <reconcilers/primitives/primitive_kind.hpp>

#include <string>

namespace holdfast {

// The pure part of the unit primitive: systemd's words to attributes, and states to steps.

/// systemd's UnitFileState in the words of a manifest, seen from what is wanted: "static" satisfies "disabled",
/// "alias" and "generated" satisfy "enabled"; a unit without a file is disabled.
std::string observed_enabled(const std::string& wanted, const std::string& file_state);

/// Also has what is observed only: `invocation`, `started_us` and `changed_us` (monotonic) of a running unit, which
/// observed_loaded() needs; they are never compared.
Attributes unit_attributes(const Wanted& wanted, const UnitStatus& status);

Steps unit_steps(const Wanted& wanted, const Attributes& from, const Attributes& to);

}  // namespace holdfast
