#pragma once

#include <reconcilers/host/system.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace holdfast {

/// A unit that was started, and when.
struct StartedUnit {
  std::string unit{};
  std::chrono::steady_clock::time_point at{};
};

/// A started unit that ran for no longer than this is a failed step.
struct UnitDied {
  std::string unit{};
  std::string what{};  // with its last journal lines
};

/// Looks at these units until each has run for 0.7 s: all of them wait together. Throws UnitDied for the first that
/// died, and Error where systemd can't be asked.
void require_settled(const System& system, const std::vector<StartedUnit>& units);

/// What people are told of a unit that failed: `what`, and its last journal lines.
std::string with_journal(const System& system, const std::string& unit, const std::string& what);

}  // namespace holdfast
