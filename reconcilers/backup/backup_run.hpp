#pragma once

#include <reconcilers/backup/backup_state.hpp>
#include <reconcilers/backup/guard.hpp>
#include <reconcilers/backup/shelf.hpp>
#include <reconcilers/host/system.hpp>

#include <functional>
#include <optional>
#include <string>

namespace holdfast {

/// Why a backup is taken.
struct BackupRequest {
  std::string reason = "manual";  // "schedule", "manual", "before-deploy"
  std::string transaction{};
};

/// Exactly one of `record` and `error` is there; neither where there was nothing to save yet, which `note` says.
struct BackupOutcome {
  std::optional<BackupRecord> record{};
  std::string error{};
  std::string note{};
  std::vector<std::string> removed{};  // ids of older ones
  [[nodiscard]] bool ok() const { return error.empty(); }
};

/// Told to people while it goes on, one line each.
using TellBackup = std::function<void(const std::string&)>;

/// Takes a backup, reads it back, puts it up, and then removes what the policy no longer keeps. What fails is
/// remembered, and leaves nothing behind; older backups are not touched then. A scheduled run also reads one older
/// backup back, the one that was longest not read. One run of a policy at a time: a second one fails at once, but one
/// before a change waits.
BackupOutcome run_backup(System& system, const BackupPolicy& policy, const BackupRequest& request,
                         const TellBackup& tell);

/// Reads a backup from the disk as a restore would, and writes down what came of it. `id` empty: the newest. A damaged
/// one is an error of the outcome, with its record. Throws Error where there is none, or it can't be looked at.
BackupOutcome verify_backup(System& system, const BackupPolicy& policy, const std::string& id, const TellBackup& tell);

/// Digest by digest, engine by engine: how it was verified. Throws Error with what is wrong.
std::string verify_parts(System& system, const BackupGuard& guard, const std::vector<BackupPart>& parts,
                         const std::string& folder, const std::string& scratch);

/// Verifies a backup that is put up, and writes what came of it into it and its record. Throws Error where it can't be
/// looked at.
void read_back(System& system, const BackupGuard& guard, const BackupShelf& shelf, BackupRecord& record);

/// What the catalogue comes to, for the policy's memory; keeps the failures of `before`.
BackupState state_of(const Catalogue& catalogue, const BackupState& before);

}  // namespace holdfast
