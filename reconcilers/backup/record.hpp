#pragma once

#include <reconcilers/backup/policy.hpp>

#include <manifests/error.hpp>
#include <manifests/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// The bytes of a backup are not what was put into it: what verification finds, as against not being able to look.
class DamagedBackup : public Error {
 public:
  using Error::Error;
};

/// One source of a backup as it is stored.
struct BackupPart {
  BackupSource source{};
  std::string file{};          // its name in the backup's folder; empty where it was skipped
  std::string compression{};   // "gzip" or "none"
  std::string digest{};        // SHA-256 of the file
  std::int64_t raw_bytes = 0;  // before compression
  std::int64_t stored_bytes = 0;
  std::string skipped{};  // why there is no file: the source did not exist yet
  std::string note{};     // "a file changed while it was read"
  Map facts{};            // by engine: pages, tables and rows; entries; owner, group and mode to restore with
};

enum class Verified { no, yes, damaged };

/// What lies beside the data as backup.json: enough to restore from, without holdfast if it must be.
struct BackupRecord {
  std::string id{};  // "20261121T023000Z", the name of its folder
  std::string policy{};
  std::string host{};
  std::string reason{};       // "schedule", "manual", "before-deploy"
  std::string transaction{};  // of before-deploy
  std::string commit{};       // what the host was confirmed at
  std::int64_t begun_ms = 0;
  std::int64_t duration_ms = 0;
  std::vector<BackupPart> parts{};
  Verified verified = Verified::no;
  std::int64_t verified_ms = 0;
  std::string verified_how{};  // or, where it is damaged, what is wrong
  bool same_disk = false;      // as a source: it does not outlive that disk
};

std::int64_t stored_bytes(const BackupRecord& record);

/// With a seal over everything else in it, so that a changed record is found.
Value to_value(const BackupRecord& record);
/// Throws Error where the seal does not fit, where it speaks of another policy or id, or where a name could lead out of
/// its folder: the disk, or somebody, may have changed it.
BackupRecord backup_record_from(const Value& value, const std::string& policy, const std::string& id);

/// "20261121T023000Z", and with "-2" and so on for more in one second.
bool is_backup_id(std::string_view text);
std::string backup_id(std::int64_t ms, int more = 1);

}  // namespace holdfast
