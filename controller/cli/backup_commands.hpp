#pragma once

#include <controller/cli/context.hpp>
#include <controller/cli/terminal.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace holdfast {

struct BackupOptions {
  std::string environment{};
  std::vector<std::string> hosts{};  // empty: all of the environment's
  std::string policy{};              // empty: all that a host has
  std::string id{};                  // verify: empty is the newest
  bool json = false;
  Terminal terminal{};
};

// What hosts know of their backups, asked of the hosts themselves. All give 0 where everything is well, and 1 where a
// host can't be reached, or a backup is missed, failed or damaged.

/// `holdfast backup list ENV [NAME]`: every backup there is, and the runs that failed.
int backup_list_command(Context& context, const BackupOptions& options, std::ostream& out);
/// `holdfast backup run ENV [NAME]`: takes and verifies one now.
int backup_run_command(Context& context, const BackupOptions& options, std::ostream& out);
/// `holdfast backup verify ENV [NAME [ID]]`: reads one back from the host's disk.
int backup_verify_command(Context& context, const BackupOptions& options, std::ostream& out);

}  // namespace holdfast
