#pragma once

#include <controller/audit/scribe.hpp>
#include <controller/audit/trail_query.hpp>
#include <controller/cli/context.hpp>
#include <controller/cli/look_commands.hpp>

#include <iosfwd>
#include <memory>
#include <string>

namespace holdfast {

/// The audit branch of some repository, to be read.
struct Trail {
  std::unique_ptr<BranchLog> log{};
  TrailTip tip{};
};

/// Of a clone, or of a folder in one. Throws Error where it has no such branch.
Trail open_trail(const std::string& folder);
/// Where a command should look: `folder` where one was named, else what the controller wrote below `state` (empty:
/// there is none), else the repository of the working directory.
Trail find_trail(const std::string& folder, const std::string& state);
/// The branch as a remote has it now, fetched into a repository of its own below `state`.
Trail fetch_trail(const Remote& remote, const std::string& state);

/// `holdfast audit verify`: 1 where the chain is broken, with every entry that was changed, removed or moved.
/// `seen` is what this controller last saw on the remote; empty: it knows none.
int audit_verify_command(const Trail& trail, const std::string& seen, bool json, std::ostream& out);

/// `history`, `show` and `where` from the branch alone.
int trail_history_command(const Trail& trail, const TrailFilter& filter, const LookOptions& options, std::ostream& out);
int trail_show_command(const Trail& trail, const std::string& named, const LookOptions& options, std::ostream& out);
/// `asked` is HOST or HOST@TIME. 1 where nothing is known of the host then.
int where_command(const Trail& trail, const std::string& asked, const LookOptions& options, std::ostream& out);

/// How `run` and the commands write the branch.
AuditSettings audit_settings(const Context& context);
/// Writes what a command left for the branch, unless a controller beside it does so. Never fails the command: what
/// can't be written now is said, and waits.
void write_audit_now(Context& context, std::ostream& errors);

}  // namespace holdfast
