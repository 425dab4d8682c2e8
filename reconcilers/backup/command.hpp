#pragma once

#include <reconcilers/backup/backup_run.hpp>
#include <reconcilers/host/system.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// `holdfast-host backup run NAME | list [NAME] | verify NAME [ID]`: what the timers start, and what people and the
/// runner itself ask for. Returns 0 where all is well, 1 where a backup failed or is damaged, 2 for a command line that
/// is none. With `--json` every line of its output is `{"event": {…}}` or, the last one, `{"result": {…}}`.
int backup_command(System& system, const std::vector<std::string>& words);

Value to_value(const BackupOutcome& outcome);

/// A policy with all its backups, for people and programs; at most `most` of them.
Value backup_listing(const System& system, const BackupPolicy& policy, std::size_t most);

}  // namespace holdfast
