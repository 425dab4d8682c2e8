#pragma once

#include <controller/cli/deploy_commands.hpp>
#include <controller/plan/host_plan.hpp>

#include <iosfwd>
#include <memory>

namespace holdfast {

/// What a commit would do to the live hosts of an environment.
struct LookedAt {
  EnvironmentPlan plan{};
  std::shared_ptr<const Desired> desired{};  // none where the commit is refused
};
LookedAt look_at_environment(Context& context, const Policy& policy, const Environment& environment,
                             EnvironmentWorker& worker, const DeployOptions& options);

void print_plan(const EnvironmentPlan& plan, const DeployOptions& options, std::ostream& out);

}  // namespace holdfast
