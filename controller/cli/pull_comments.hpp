#pragma once

#include <controller/cli/context.hpp>
#include <controller/notify/pull_plans.hpp>

#include <memory>

namespace holdfast {

/// Comments the open pull requests of the settings' sinks with their plans, for as long as the result lives. A plan is
/// made by this program's own `plan`, as a process of its own: it holds up nothing here, and has an end.
std::unique_ptr<PullCommenter> comment_pull_requests(const Context& context, const OnProgress& tell);

}  // namespace holdfast
