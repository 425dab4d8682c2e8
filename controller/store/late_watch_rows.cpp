#include <controller/store/rows.hpp>

namespace holdfast {

int insert_late_watch(SQLite::Database& database, const LateWatch& one) {
  return prepare(database, "INSERT OR REPLACE INTO late_watches VALUES (?,?,?,?,?,?,?,?,?)", one.environment, one.host,
                 one.deployment, one.commit, one.bundle, one.back_to, one.begun_ms, one.for_ms, one.tally)
      .exec();
}

std::vector<LateWatch> late_watches_of(SQLite::Database& database, const std::string& environment) {
  auto rows = prepare(database,
                      "SELECT environment, host, deployment, commit_id, bundle, back_to, begun_ms, for_ms, tally "
                      "FROM late_watches WHERE environment = ? ORDER BY host",
                      environment);
  return all(rows, [](SQLite::Statement& row) {
    return LateWatch{text(row, 0), text(row, 1), number(row, 2), text(row, 3),
                     text(row, 4), text(row, 5), number(row, 6), number(row, 7), text(row, 8)};
  });
}

int delete_late_watch(SQLite::Database& database, const LateWatch& one) {
  return prepare(database, "DELETE FROM late_watches WHERE environment = ? AND host = ? AND deployment = ?",
                 one.environment, one.host, one.deployment)
      .exec();
}

}  // namespace holdfast
