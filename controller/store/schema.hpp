#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace SQLite {
class Database;
}

namespace holdfast {

/// The store's schema as steps: migration N brings a file of version N-1 to N (PRAGMA user_version). Only appended to.
const std::vector<std::string_view>& store_migrations();

/// Brings a database to the newest version; throws Error where it is of a newer one. `path` is for messages.
void migrate(SQLite::Database& database, const std::string& path);

}  // namespace holdfast
