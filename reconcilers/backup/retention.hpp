#pragma once

#include <reconcilers/backup/record.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// The ids of the backups that may go, of all that a policy has made: those beyond `keep_count` or older than
/// `keep_age_ms`. Backups before changes are counted on their own, so that many changes do not push out the nights.
/// Never the newest verified one, whatever its age, and never `just_made`. Damaged ones are not counted, and go when
/// they are older than everything that stays.
std::vector<std::string> superseded_backups(const std::vector<BackupRecord>& records, const BackupPolicy& policy,
                                            const std::string& just_made, std::int64_t now_ms);

/// The newest verified one; nullptr where there is none.
const BackupRecord* newest_verified(const std::vector<BackupRecord>& records);

}  // namespace holdfast
