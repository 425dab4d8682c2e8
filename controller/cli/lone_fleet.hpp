#pragma once

#include <manifests/fleet.hpp>

namespace holdfast {

/// An environment for a tree that has none (a branch that only carries manifests): with the hosts and labels that its
/// manifests ask for and a text for each variable that they use, so that they can be checked together.
Environment lone_environment(const Tree& tree, const LoadOptions& options);

/// Drops what the true values of variables may put right.
void forget_variables(std::vector<Problem>& problems);

}  // namespace holdfast
