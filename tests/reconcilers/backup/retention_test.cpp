#include <reconcilers/backup/retention.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace holdfast;

namespace {

constexpr std::int64_t day = 86'400'000;
constexpr std::int64_t now = 400 * day;

BackupRecord made(std::int64_t at_ms, Verified verified = Verified::yes, const std::string& reason = "schedule") {
  BackupRecord record{.id = backup_id(at_ms), .reason = reason, .begun_ms = at_ms, .verified = verified};
  return record;
}

BackupPolicy keep(std::int64_t count, std::int64_t age_ms = 0) {
  BackupPolicy policy;
  policy.keep_count = count;
  policy.keep_age_ms = age_ms;
  return policy;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("the newest backups stay, by count", "[backup][retention]") {
  const std::vector<BackupRecord> records = {made(now - 3 * day), made(now), made(now - day), made(now - 2 * day)};
  CHECK(superseded_backups(records, keep(2), "", now) == Ids{backup_id(now - 2 * day), backup_id(now - 3 * day)});
  CHECK(superseded_backups(records, keep(4), "", now).empty());
}

TEST_CASE("old backups go, but never the newest verified one", "[backup][retention]") {
  const std::vector<BackupRecord> records = {made(now - 40 * day), made(now - 50 * day)};
  CHECK(superseded_backups(records, keep(14, 30 * day), "", now) == Ids{backup_id(now - 50 * day)});
}

TEST_CASE("backups before changes do not push out the nights", "[backup][retention]") {
  std::vector<BackupRecord> records = {made(now - 5 * day), made(now - 4 * day)};
  for (int i = 0; i < 5; ++i) records.push_back(made(now - i * 1000, Verified::yes, "before-deploy"));
  const Ids gone = superseded_backups(records, keep(2), "", now);
  CHECK(gone.size() == 3);
  CHECK(std::ranges::find(gone, backup_id(now - 5 * day)) == gone.end());
}

TEST_CASE("a damaged backup does not count, and goes when all that stays is newer", "[backup][retention]") {
  const std::vector<BackupRecord> records = {made(now, Verified::damaged), made(now - day), made(now - 2 * day),
                                             made(now - 3 * day, Verified::damaged), made(now - 4 * day)};
  CHECK(superseded_backups(records, keep(2), "", now) == Ids{backup_id(now - 4 * day), backup_id(now - 3 * day)});
  const std::vector<BackupRecord> only_damaged = {made(now - 300 * day, Verified::damaged)};
  CHECK(superseded_backups(only_damaged, keep(1, day), "", now).empty());
}

TEST_CASE("whatever there is, the newest verified one and the one just made stay", "[backup][retention]") {
  std::mt19937 random(7);
  const auto pick = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); };
  for (int round = 0; round < 2000; ++round) {
    std::vector<BackupRecord> records;
    std::set<std::int64_t> times;
    while (static_cast<int>(times.size()) < 1 + pick(12))
      times.insert(now - pick(100) * day + (pick(5) == 0 ? 200 * day : 0));
    for (const std::int64_t at : times) {
      records.push_back(made(at, static_cast<Verified>(pick(3)), pick(2) == 0 ? "manual" : "before-deploy"));
    }
    std::ranges::shuffle(records, random);
    const std::string just_made = records[static_cast<std::size_t>(pick(static_cast<int>(records.size())))].id;
    const BackupPolicy policy = keep(1 + pick(4), pick(2) == 0 ? 0 : (1 + pick(60)) * day);
    const Ids gone = superseded_backups(records, policy, just_made, now);
    const BackupRecord* newest = newest_verified(records);
    CHECK(std::ranges::find(gone, just_made) == gone.end());
    if (newest == nullptr) {
      CHECK(gone.empty());
    } else {
      CHECK(std::ranges::find(gone, newest->id) == gone.end());
    }
    std::vector<BackupRecord> left;
    for (const BackupRecord& one : records) {
      if (std::ranges::find(gone, one.id) == gone.end()) left.push_back(one);
    }
    CHECK(superseded_backups(left, policy, just_made, now).empty());
  }
}

TEST_CASE("ids are times in order, and nothing else is one", "[backup][retention]") {
  CHECK(backup_id(1'795'246'195'847) == "20261121T072955Z");
  CHECK(backup_id(1'795'246'195'847, 2) == "20261121T072955Z-2");
  CHECK(is_backup_id("20261121T072955Z"));
  CHECK(is_backup_id("20261121T072955Z-12"));
  for (const char* bad :
       {"", "20261121", "20261121T072955Z/..", "20261121T072955Z-", "20261121T072955Z-x", ".partial-1",
        "20261121t072955Z", "2026112aT072955Z", "20261121T072955Z-123456", "../20261121T0729Z"}) {
    INFO(bad);
    CHECK_FALSE(is_backup_id(bad));
  }
}
