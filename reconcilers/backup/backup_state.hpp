#pragma once

#include <reconcilers/backup/record.hpp>
#include <reconcilers/host/system.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// A run that gave no backup.
struct BackupFailure {
  std::int64_t at_ms = 0;
  std::string reason{};  // why it ran
  std::string transaction{};
  std::string error{};
  std::int64_t duration_ms = 0;
};

/// What is remembered of a policy beside its backups, on the host's own disk: small, so that asking how backups stand
/// does not walk them. Rebuilt from the backups whenever one is made or verified.
struct BackupState {
  std::string verified_id{};        // the newest verified one; empty for none
  std::int64_t verified_at_ms = 0;  // when it was begun
  std::int64_t verified_bytes = 0;
  std::string damaged_id{};  // one newer than that which was found damaged
  std::string damaged_what{};
  std::vector<BackupFailure> failures{};  // newest first; those before the last success are history
};
Value to_value(const BackupState& state);
BackupState backup_state_from(const Value& value);

/// Of one policy on the host: "/var/lib/holdfast/backups/NAME.json", and the lock beside it.
class BackupMemory {
 public:
  BackupMemory(const std::string& root, const std::string& policy);
  /// An unreadable one counts as empty: the next run writes it anew.
  [[nodiscard]] BackupState read() const;
  void write(const BackupState& state) const;
  [[nodiscard]] std::string lock_path() const { return path_ + ".lock"; }
  void make_folder() const;

 private:
  std::string folder_;
  std::string path_;
};

/// How a policy stands: what `status` tells.
struct BackupStanding {
  std::string policy{};
  std::string problem{};  // "", "never", "missed", "failed", "damaged"
  std::string detail{};   // for people
  std::string verified_id{};
  std::int64_t verified_at_ms = 0;
  std::int64_t bytes = 0;
};
Value to_value(const BackupStanding& standing);

/// `policy_since_ms`: when the policy came to the host.
BackupStanding judge_backups(const BackupPolicy& policy, const BackupState& state, std::int64_t policy_since_ms,
                             std::int64_t now_ms);

/// The policies of the host by their files, and what can't be read as one.
struct Policies {
  std::vector<BackupPolicy> good{};
  std::vector<BackupStanding> bad{};
};
Policies read_policies(const System& system);
/// Throws Error that lists those there are.
BackupPolicy read_policy(const System& system, const std::string& name);

/// Of every policy of the host. Reads two small files for each.
std::vector<BackupStanding> backup_standings(const System& system);

}  // namespace holdfast
