// What waits for a gate, and since when hosts have been as they are: the latter is kept by triggers (schema.cpp).
#include <controller/store/rows.hpp>

namespace holdfast {

void replace_waits(SQLite::Database& database, const std::string& environment, const std::string& host,
                   const std::vector<Wait>& waits) {
  std::string kept = "\n";  // names of gates have no line end
  for (const Wait& one : waits) {
    kept += one.gate + "\n";
    prepare(database,
            "INSERT INTO waits VALUES (?,?,?,?,?,?,?) ON CONFLICT (environment, host, gate) DO UPDATE SET "
            "since_ms = CASE commit_id WHEN excluded.commit_id THEN since_ms ELSE excluded.since_ms END, "
            "commit_id = excluded.commit_id, why = excluded.why, found = excluded.found",
            environment, host, one.gate, one.commit, one.why, one.found, one.since_ms)
        .exec();
  }
  prepare(database,
          "DELETE FROM waits WHERE environment = ? AND host = ? AND instr(?, char(10) || gate || char(10)) = 0",
          environment, host, kept)
      .exec();
}

std::vector<Wait> waits_of(SQLite::Database& database, const std::string& environment) {
  auto rows = prepare(database,
                      "SELECT host, gate, commit_id, why, found, since_ms FROM waits "
                      "WHERE (?1 = '' OR environment = ?1) ORDER BY environment, host, rowid",
                      environment);
  return all(rows, [](SQLite::Statement& row) {
    return Wait{text(row, 0), text(row, 1), text(row, 2), text(row, 3), text(row, 4), number(row, 5)};
  });
}

std::vector<Undisturbed> undisturbed_of(SQLite::Database& database, const std::string& environment) {
  auto rows =
      prepare(database, "SELECT host, commit_id, state, since_ms FROM undisturbed WHERE environment = ?", environment);
  return all(rows, [](SQLite::Statement& row) {
    return Undisturbed{text(row, 0), text(row, 1), text(row, 2), number(row, 3)};
  });
}

}  // namespace holdfast
