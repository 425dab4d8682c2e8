#include <controller/store/rows.hpp>

namespace holdfast {

int insert_suspension(SQLite::Database& database, const Suspension& one) {
  return prepare(database, "INSERT OR REPLACE INTO suspensions VALUES (?,?,?,?,?,?,?)", one.environment, one.host,
                 one.app, one.by, one.reason, one.since_ms, one.until_ms)
      .exec();
}

std::vector<Suspension> suspensions_of(SQLite::Database& database, const std::string& environment) {
  auto rows = prepare(database,
                      "SELECT environment, host, app, suspended_by, reason, since_ms, until_ms FROM suspensions "
                      "WHERE (?1 = '' OR environment = ?1) ORDER BY since_ms, host, app",
                      environment);
  return all(rows, [](SQLite::Statement& row) {
    return Suspension{text(row, 0), text(row, 1),   text(row, 2),  text(row, 3),
                      text(row, 4), number(row, 5), number(row, 6)};
  });
}

bool delete_suspension(SQLite::Database& database, const Suspension& one) {
  return prepare(database,
                 "DELETE FROM suspensions WHERE environment = ? AND host = ? AND app = ? AND since_ms = ? "
                 "AND until_ms = ?",
                 one.environment, one.host, one.app, one.since_ms, one.until_ms)
             .exec() > 0;
}

}  // namespace holdfast
