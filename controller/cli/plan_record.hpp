#pragma once

#include <controller/plan/plan_view.hpp>
#include <manifests/value.hpp>

namespace holdfast {

// Plans as records for programs: what schemas/plan.schema.json describes. Members are only ever added within a version.

Value plan_record(const EnvironmentPlan& plan);
/// One change of a host, as a member of "changes".
Value change_record(const HostPlan& host, const Action& action);
/// What units go through, as "units".
Value units_record(const std::vector<UnitEffect>& effects);
/// {"create": 1, "change": 2, "remove": 0}
Value counts_record(const PlanView& view);

}  // namespace holdfast
