#pragma once

#include <manifests/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

enum class BackupEngine { sqlite, postgres, files };
std::string_view to_text(BackupEngine engine);

/// One thing that a policy backs up; which members count is the engine's choice.
struct BackupSource {
  BackupEngine engine = BackupEngine::files;
  std::string path{};  // sqlite: the database
  std::string database{}, user{}, host{};
  std::int64_t port = 0;               // 0: the server's own default
  std::vector<std::string> paths{};    // files
  std::vector<std::string> exclude{};  // files: patterns of a shell
};
Value to_value(const BackupSource& source);
/// "sqlite /opt/cvd/data/cvd.db", for messages.
std::string describe(const BackupSource& source);
/// The paths that it reads; none for a server.
std::vector<std::string> paths_of(const BackupSource& source);

/// What a BackupPolicy is on a host: lowering writes it, the runner reads it without a controller.
struct BackupPolicy {
  std::string name{};
  std::string destination{};
  std::vector<BackupSource> sources{};
  std::string compress = "gzip";  // or "none"
  std::int64_t keep_count = 14;
  std::int64_t keep_age_ms = 0;   // 0: of any age
  std::int64_t free_percent = 0;  // of the disk that must stay free, or
  std::int64_t free_bytes = 0;
  std::int64_t timeout_ms = 1'800'000;
  std::int64_t max_age_ms = 0;  // 0: never missed
  bool before_deploy = false;
};
Value to_value(const BackupPolicy& policy);
/// Throws Error where the value is no policy: the file may have been edited.
BackupPolicy backup_policy_from(const Value& value);

/// Letters, digits and "_.-", not beginning with a mark, at most 100: a name that becomes part of paths and unit names.
bool is_backup_name(std::string_view name);

/// Where policies lie on a host, one file each.
inline constexpr const char* backup_policy_folder = "/etc/holdfast/backups";
std::string backup_policy_path(const std::string& name);
/// "holdfast-backup-cvd.service"; `type` is "service" or "timer".
std::string backup_unit(const std::string& name, const std::string& type);

}  // namespace holdfast
