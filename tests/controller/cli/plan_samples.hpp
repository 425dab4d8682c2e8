#pragma once

#include <controller/cli/render_plan.hpp>

#include <vector>

namespace holdfast::test {

/// A plan with one of everything that is told: a release, an environment file, texts, units, packages, users.
HostPlan full_plan(const std::string& host);
/// A host with nothing to do, one that can't be reached, and one whose plan is refused.
std::vector<HostPlan> quiet_plans();
/// All of these at one commit, as `plan` has them.
EnvironmentPlan of(std::vector<HostPlan> hosts);
/// An action on a file whose bytes go from one text to another; both are put into `host`.
Action file_action(HostPlan& host, const std::string& path, const std::string& from, const std::string& to);

}  // namespace holdfast::test
