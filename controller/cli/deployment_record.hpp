#pragma once

#include <controller/cli/terminal.hpp>
#include <controller/plan/kept_plan.hpp>
#include <controller/plan/plan_view.hpp>
#include <controller/store/store.hpp>
#include <manifests/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// One deployment for programs, as `history` lists it: what schemas/history.schema.json describes.
Value deployment_record(const Deployment& deployment, const PlanView& view);

/// A deployment with everything that was kept of it.
struct ShownDeployment {
  Deployment facts{};
  HostPlan plan{};
  TransactionResult result{};
  std::vector<DeploymentEvent> events{};
};
ShownDeployment read_deployment(Store& store, const Deployment& facts);
/// All of it for programs: what schemas/deployment.schema.json describes.
Value record_of(const ShownDeployment& shown);
Value deployment_details(Store& store, const Deployment& deployment);

/// What it changed, or, where that did not last, what it was to change.
std::string changes_text(const Deployment& deployment, const PlanView& view);

/// How a state or an outcome is painted.
Style look_style(std::string_view word);

}  // namespace holdfast
