#pragma once

#include <controller/cli/context.hpp>
#include <controller/plan/plan_view.hpp>

#include <vector>

namespace holdfast {

/// Says in the notes of each host that has something to change for which gates it would wait now: its environment's,
/// and its own, for which it is asked.
void tell_gates(Context& context, const Desired& desired, std::vector<HostPlan>& hosts);

}  // namespace holdfast
