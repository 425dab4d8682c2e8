#include <controller/store/rows.hpp>

#include <algorithm>

namespace holdfast {

std::int64_t insert_deployment(SQLite::Database& database, const Deployment& d) {
  prepare(database,
          "INSERT INTO deployments (environment, host, transaction_id, commit_id, from_commit, subject, author, cause, "
          "requested_by, outcome, reason, plan, begun_ms, ended_ms, process) VALUES "
          "(?,?,?,?,?,?,?,?,?,?,?,?,?,0,?)",
          d.environment, d.host, d.transaction, d.commit, d.from_commit, d.subject, d.author, d.cause, d.requested_by,
          std::string(to_text(d.outcome)), d.reason, d.plan, d.begun_ms, d.process)
      .exec();
  return database.getLastInsertRowid();
}

int update_taken_back(SQLite::Database& database, std::int64_t id, const std::string& reason, std::int64_t at_ms) {
  const int taken = prepare(database,
                            "UPDATE deployments SET outcome = ?, reason = ? WHERE id = ? AND outcome = ?",
                            std::string(to_text(Outcome::rolled_back)), reason, id,
                            std::string(to_text(Outcome::deployed)))
                        .exec();
  // It is news from now on, and not from when it was deployed.
  if (taken != 0) prepare(database, "UPDATE tellings SET at_ms = ? WHERE deployment = ?", at_ms, id).exec();
  return taken;
}

std::vector<Deployment> deployments_of(SQLite::Database& database, const std::string& environment,
                                       const std::string& host, int limit) {
  auto rows = prepare(database,
                      std::string("SELECT ") + deployment_columns +
                          " FROM deployments WHERE (?1 = '' OR environment = ?1) AND (?2 = '' OR host = ?2) "
                          "ORDER BY id DESC LIMIT ?3",
                      environment, host, limit);
  return all(rows, deployment_of);
}

std::vector<Deployment> unsettled_of(SQLite::Database& database, const std::string& environment,
                                     const std::string& host, int limit) {
  auto rows = prepare(database,
                      std::string("SELECT ") + unsettled_columns +
                          " FROM deployments INDEXED BY deployments_unsettled WHERE outcome IN ('running', "
                          "'unknown') AND (?1 = '' OR environment = ?1) AND (?2 = '' OR host = ?2) "
                          "ORDER BY id DESC LIMIT ?3",
                      environment, host, limit);
  std::vector<Deployment> found = all(rows, deployment_of);
  std::ranges::reverse(found);
  return found;
}

int insert_policy_of(SQLite::Database& database, const std::string& environment, const std::string& host,
                     const std::string& commit, const std::string& policy) {
  constexpr int kept = 30;  // of a host
  prepare(database, "INSERT OR REPLACE INTO verified VALUES (?,?,?,?)", environment, host, commit, policy).exec();
  return prepare(database,
                 "DELETE FROM verified WHERE environment = ?1 AND host = ?2 AND rowid NOT IN (SELECT rowid FROM "
                 "verified WHERE environment = ?1 AND host = ?2 ORDER BY rowid DESC LIMIT ?3)",
                 environment, host, kept)
      .exec();
}

std::string policy_in(SQLite::Database& database, const std::string& environment, const std::string& host,
                      const std::string& commit) {
  auto rows = prepare(database, "SELECT policy FROM verified WHERE environment = ? AND host = ? AND commit_id = ?",
                      environment, host, commit);
  return first(rows, [](SQLite::Statement& row) { return text(row, 0); }).value_or("");
}

}  // namespace holdfast
