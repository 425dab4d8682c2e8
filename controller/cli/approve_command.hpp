#pragma once

#include <controller/cli/deploy_commands.hpp>

namespace holdfast {

/// `holdfast approve ENV [REV] --reason TEXT`: shows what the commit would change on the live hosts, binds it with a
/// tag "holdfast/approve/ENV/N", signed where a key is configured, and pushes that. 0, 1 error, 4 where it would not
/// count.
int approve_command(Context& context, const DeployOptions& options, std::ostream& out);

}  // namespace holdfast
