#include <controller/cli/plan_record.hpp>
#include <controller/cli/render_plan.hpp>
#include <manifests/json.hpp>

namespace holdfast {

std::string render_plan_json(const EnvironmentPlan& plan) { return to_pretty_json(plan_record(plan)) + "\n"; }

}  // namespace holdfast
