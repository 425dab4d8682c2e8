#pragma once

#include <controller/cli/context.hpp>
#include <controller/cli/terminal.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace holdfast {

enum class PlanFormat { text, json, markdown };

struct DeployOptions {
  std::string environment{};
  std::vector<std::string> hosts{};  // empty: all of the environment's
  std::string revision{};            // plan: another commit than the tracked one; rollback: the target
  std::string reason{};              // rollback, approve
  std::string key{};                 // approve: what to sign with, over the settings
  std::string openpgp{};
  bool repair = false;               // apply: drift is put right whatever the policy says
  bool allow_prune = false;          // apply: much of what is managed may go, this one time
  PlanFormat format = PlanFormat::text;
  Terminal terminal{};
  bool why = false;   // plan: tell the reason of each change
  bool full = false;  // plan: cut nothing on a terminal
};

/// Throws Error for a host that the environment has not.
void check_hosts(const Environment& environment, const std::vector<std::string>& hosts);

/// `holdfast plan ENV`: what would change on each host, and nothing else. 0 nothing, 2 changes pending, 4 refused, 1
/// error.
int plan_command(Context& context, const DeployOptions& options, std::ostream& out);

/// `holdfast apply ENV`: one turn of the environment, now. Exit codes as exit_code().
int apply_command(Context& context, const DeployOptions& options, std::ostream& out);

/// `holdfast rollback ENV [--to REVISION]`: back to the commit before the live one (or that one), which then stays
/// until the tracked ref moves or somebody says `retry`.
int rollback_command(Context& context, const DeployOptions& options, std::ostream& out);

/// `holdfast retry ENV [HOST…]`: lifts what is held, a rollback by hand included. The next turn tries again.
int retry_command(Context& context, const DeployOptions& options, std::ostream& out);

/// `holdfast adopt ENV [HOST…]`: takes hosts over from another controller, at once. 0, or 1 where one was not reached.
int adopt_command(Context& context, const DeployOptions& options, std::ostream& out);

/// `holdfast run`: the controller, until SIGTERM or SIGINT; its log goes to standard output.
int run_command(Context& context, const std::string& log_level, bool json);

}  // namespace holdfast
