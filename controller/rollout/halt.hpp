#pragma once

#include <controller/gates/gates.hpp>
#include <controller/store/store.hpp>

#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// With `onFailure: halt` a failure closes the environment for every commit, also for newer ones, until a person says
/// `holdfast retry` (or overrides it for one commit). Nothing where no commit has failed, or a host where one did has
/// taken another since.
std::optional<GateAnswer> halted(Store& store, const std::string& environment, const std::vector<Hold>& holds);

}  // namespace holdfast
