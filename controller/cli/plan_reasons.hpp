#pragma once

#include <controller/cli/context.hpp>
#include <controller/cli/provenance.hpp>
#include <controller/plan/host_plan.hpp>

#include <map>
#include <memory>
#include <string>

namespace holdfast {

/// `plan --why`: what every change of a host's plan is there for. What was deployed before is lowered again from git
/// and compared with what is wanted now. Used by one thread at a time; everything it is given must outlive it.
class PlanReasons {
 public:
  PlanReasons(Context& context, EnvironmentWorker& worker, const Environment& environment,
              const std::string& policy_commit, const Desired& desired);

  /// Fills in `why`. Does nothing for a host without a plan.
  void tell(HostPlan& plan);

 private:
  std::shared_ptr<const Desired> live_of(const HostRecord& record);
  std::shared_ptr<const Desired> at(const std::string& commit, const Environment& environment,
                                    const std::string& policy_commit);

  Context& context_;
  EnvironmentWorker& worker_;
  const Environment& environment_;
  const std::string& policy_commit_;
  const Desired& desired_;
  std::unique_ptr<Mirror> mirror_;
  Provenance provenance_;
  std::map<std::string, std::shared_ptr<const Desired>> known_;  // by content commit and policy commit
};

}  // namespace holdfast
