#include <reconcilers/backup/retention.hpp>

#include <algorithm>
#include <map>

namespace holdfast {

namespace {

bool is_newer(const BackupRecord* a, const BackupRecord* b) {
  return a->begun_ms != b->begun_ms ? a->begun_ms > b->begun_ms : a->id > b->id;
}

}  // namespace

const BackupRecord* newest_verified(const std::vector<BackupRecord>& records) {
  const BackupRecord* newest = nullptr;
  for (const BackupRecord& one : records) {
    if (one.verified == Verified::yes && (newest == nullptr || is_newer(&one, newest))) newest = &one;
  }
  return newest;
}

std::vector<std::string> superseded_backups(const std::vector<BackupRecord>& records, const BackupPolicy& policy,
                                            const std::string& just_made, std::int64_t now_ms) {
  std::vector<const BackupRecord*> sorted;
  for (const BackupRecord& one : records) sorted.push_back(&one);
  std::ranges::sort(sorted, is_newer);
  const BackupRecord* newest = newest_verified(records);
  std::vector<std::string> gone;
  std::vector<const BackupRecord*> doubtful;
  std::map<bool, std::int64_t> counted;
  std::int64_t oldest_kept_ms = now_ms;
  for (const BackupRecord* one : sorted) {
    if (one->verified != Verified::yes) {
      doubtful.push_back(one);
      continue;
    }
    const bool many = ++counted[one->reason == "before-deploy"] > policy.keep_count;
    const bool old = policy.keep_age_ms > 0 && now_ms - one->begun_ms > policy.keep_age_ms;
    if ((many || old) && one != newest && one->id != just_made) {
      gone.push_back(one->id);
    } else {
      oldest_kept_ms = std::min(oldest_kept_ms, one->begun_ms);
    }
  }
  for (const BackupRecord* one : doubtful) {
    if (newest != nullptr && one->begun_ms < oldest_kept_ms && one->id != just_made) gone.push_back(one->id);
  }
  return gone;
}

}  // namespace holdfast
