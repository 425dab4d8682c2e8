#pragma once

#include <reconcilers/backup/guard.hpp>
#include <reconcilers/host/process.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast {

/// What is in a database that passed its check.
struct DatabaseFacts {
  std::int64_t pages = 0;
  std::int64_t page_bytes = 0;
  std::int64_t tables = 0;
  std::int64_t rows = 0;  // of all tables
};

/// A consistent copy of a database that others may be writing to, by SQLite's online backup. The database is read with
/// the rights of `owner` where one is given: a journal that somebody planted beside it can't make root write. `from`
/// must not lead through symbolic links; `to` must not exist. Throws Error.
void copy_database(const std::string& from, const std::string& to, const std::optional<RunAs>& owner,
                   const BackupGuard& guard);

/// Runs integrity_check over a database that nobody writes to. Throws DamagedBackup with the first thing that it finds.
DatabaseFacts check_database(const std::string& path, const BackupGuard& guard);

}  // namespace holdfast
