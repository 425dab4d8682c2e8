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

}  // namespace holdfast
