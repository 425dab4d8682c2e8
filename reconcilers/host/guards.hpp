#pragma once

#include <reconcilers/host/planner.hpp>

#include <set>
#include <string>

namespace holdfast {

/// Adds to a plan's refusals what could only be done by halves or would do more than anybody meant: a change of what
/// is immutable, mounted over, read-only or below something that is not mounted now; one whose folder nobody makes; and
/// the removal of more than a few of the resources that the inventory knows. Looks only at what the plan changes.
/// `remembered` are mount points that managed paths lay below when they were last confirmed.
void guard(const System& system, const Bundle& bundle, const Inventory& inventory,
           const std::set<std::string>& remembered, Pruning pruning, PreparedPlan& prepared);

/// Where something should be mounted by this machine's own configuration (/etc/fstab, .mount units).
std::set<std::string> configured_mounts(const System& system);
/// Mount points that paths of the inventory lie below now.
std::set<std::string> mounts_of(const System& system, const Inventory& inventory);

}  // namespace holdfast
