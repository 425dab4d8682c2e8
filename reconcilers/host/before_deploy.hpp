#pragma once

#include <reconcilers/host/plan.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// Which backups the bundle's policies ask for before these actions, and the first action that asks: one for each
/// policy with `beforeDeploy` that covers something of what changes. Pure. `wanted` has as many as `actions`.
std::vector<PlannedBackup> backups_before(const Bundle& bundle, const std::vector<Action>& actions,
                                          const std::vector<Wanted>& wanted);

/// The policy of that name as the bundle has it (file.parameters.backup); nullptr where there is none.
const Value* bundled_policy(const Bundle& bundle, const std::string& name);

}  // namespace holdfast
