#pragma once

#include <reconcilers/host/planner.hpp>
#include <reconcilers/primitives/primitive_kind.hpp>

#include <map>
#include <vector>

namespace holdfast {

/// The present state of all of them, in bulk: one call for each type. Types that can't be managed here are left out.
std::map<PrimitiveId, Attributes> observe(const System& system, const std::vector<const Wanted*>& wanted);

/// Everything that a plan for this bundle is made of.
Sight look_at(const System& system, const Bundle& bundle, const Inventory& inventory);

/// The bundle as it can be compared here: secrets in the place of their placeholders, and what means the same made
/// equal.
Bundle resolve(const System& system, const Vault& vault, const Bundle& bundle);

/// Makes the secrets that the bundle's files need and that were not made yet, so that their content is known.
void make_secrets(System& system, const Vault& vault, const Bundle& bundle);

/// Notes what the running units of these actions have loaded, where it is what is on the disk: once files change, only
/// this memory can tell that a process still runs with what was there before.
void remember_running(System& system, const PreparedPlan& prepared, const Sight& sight);

/// The digests that the host lacks for these actions, sorted.
std::vector<std::string> missing_contents(const System& system, const Vault& vault, const PreparedPlan& prepared,
                                          const Bundle& bundle);

}  // namespace holdfast
