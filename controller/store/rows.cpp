#include <controller/store/rows.hpp>

#include <SQLiteCpp/Column.h>

namespace holdfast {

std::string text(SQLite::Statement& row, int column) { return row.getColumn(column).getString(); }
std::int64_t number(SQLite::Statement& row, int column) { return row.getColumn(column).getInt64(); }

Deployment deployment_of(SQLite::Statement& row) {
  Deployment d;
  d.id = number(row, 0);
  d.environment = text(row, 1);
  d.host = text(row, 2);
  d.transaction = text(row, 3);
  d.commit = text(row, 4);
  d.from_commit = text(row, 5);
  d.subject = text(row, 6);
  d.author = text(row, 7);
  d.cause = text(row, 8);
  d.requested_by = text(row, 9);
  d.outcome = outcome_from(text(row, 10));
  d.reason = text(row, 11);
  d.plan = text(row, 12);
  d.begun_ms = number(row, 13);
  d.ended_ms = number(row, 14);
  d.result = text(row, 15);
  d.process = text(row, 16);
  return d;
}

HostRecord host_of(SQLite::Statement& row) {
  return {.environment = text(row, 0),
          .host = text(row, 1),
          .state = text(row, 2),
          .detail = text(row, 3),
          .desired_commit = text(row, 4),
          .live_commit = text(row, 5),
          .live_bundle = text(row, 6),
          .live_checks = text(row, 7),
          .backups = text(row, 10),
          .seen_ms = number(row, 8),
          .changed_ms = number(row, 9),
          .epoch = number(row, 11)};
}

EnvironmentRecord environment_of(SQLite::Statement& row) {
  return {.name = text(row, 0),
          .tracked = text(row, 1),
          .head = text(row, 2),
          .accepted = text(row, 3),
          .state = text(row, 4),
          .detail = text(row, 5),
          .changed_ms = number(row, 6),
          .accepted_tag = text(row, 7)};
}

Hold hold_of(SQLite::Statement& row) {
  return {text(row, 0), text(row, 1),   text(row, 2),   text(row, 3),
          text(row, 4), number(row, 5), number(row, 6), text(row, 7)};
}

Pin pin_of(SQLite::Statement& row) {
  return {text(row, 0), text(row, 1), text(row, 2), text(row, 3), text(row, 4), number(row, 5)};
}

std::vector<Fight> fights_of(SQLite::Database& database, const std::string& environment, const std::string& host) {
  auto rows =
      prepare(database, "SELECT id, wanted, at_ms FROM fights WHERE environment = ? AND host = ? ORDER BY at_ms",
              environment, host);
  return all(rows, [](SQLite::Statement& row) { return Fight{text(row, 0), text(row, 1), number(row, 2)}; });
}

void insert_fights(SQLite::Database& database, const std::string& environment, const std::string& host,
                   const std::vector<Fight>& fights) {
  for (const Fight& one : fights) {
    prepare(database, "INSERT INTO fights VALUES (?,?,?,?,?)", environment, host, one.id, one.wanted, one.at_ms).exec();
  }
}

void raise_epoch_to(SQLite::Database& database, std::int64_t epoch) {
  prepare(database, "INSERT INTO epochs (id) SELECT ?1 WHERE ?1 > (SELECT coalesce(max(id), 0) FROM epochs)", epoch)
      .exec();
}

void update_seen(SQLite::Database& database, const std::string& environment,
                 const std::map<std::string, std::int64_t>& seen_ms) {
  SQLite::Statement update(database,
                           "UPDATE hosts SET seen_ms = ?3 WHERE environment = ?1 AND host = ?2 AND seen_ms < ?3");
  for (const auto& [host, at_ms] : seen_ms) {
    update.reset();
    update.bind(1, environment);
    update.bind(2, host);
    update.bind(3, at_ms);
    update.exec();
  }
}

std::map<std::string, std::int64_t> downs_of(SQLite::Database& database, const std::string& environment,
                                             const std::string& name) {
  auto rows =
      prepare(database, "SELECT unit, down_ms FROM downs WHERE environment = ? AND host = ?", environment, name);
  std::map<std::string, std::int64_t> found;
  while (rows.executeStep()) found[text(rows, 0)] = number(rows, 1);
  return found;
}

std::set<std::string> transactions_of(SQLite::Database& database, const std::string& host) {
  auto rows = prepare(database, "SELECT transaction_id FROM deployments WHERE host = ?", host);
  std::set<std::string> found;
  while (rows.executeStep()) found.insert(text(rows, 0));
  return found;
}

std::int64_t next_epoch_of(SQLite::Database& database) {
  database.exec("INSERT INTO epochs DEFAULT VALUES");
  const std::int64_t epoch = database.getLastInsertRowid();
  prepare(database, "DELETE FROM epochs WHERE id < ?", epoch).exec();  // AUTOINCREMENT remembers the highest
  return epoch;
}

bool is_rollout(SQLite::Database& database, const std::string& environment, const Revision& revision,
                const std::string& hosts) {
  return prepare(database, "SELECT 1 FROM rollouts WHERE environment = ? AND commit_id = ? AND hosts = ?", environment,
                 revision.commit, hosts)
      .executeStep();
}

void write_rollout(SQLite::Database& database, const std::string& environment, const Revision& revision,
                   const std::string& hosts, std::int64_t at_ms) {
  prepare(database,
          "INSERT INTO rollouts VALUES (?,?,?,?,?,?) ON CONFLICT (environment) DO UPDATE SET "
          "since_ms = CASE commit_id WHEN excluded.commit_id THEN since_ms ELSE excluded.since_ms END, "
          "commit_id = excluded.commit_id, subject = excluded.subject, author = excluded.author, "
          "hosts = excluded.hosts",
          environment, revision.commit, revision.subject, revision.author, hosts, at_ms)
      .exec();
}

int insert_hold(SQLite::Database& database, const Hold& h) {
  return prepare(database, "INSERT OR REPLACE INTO holds VALUES (?,?,?,?,?,?,?,?)", h.environment, h.host, h.bundle,
                 h.commit, h.reason, h.since_ms, h.deployment, h.back_to)
      .exec();
}

std::vector<Hold> holds_of(SQLite::Database& database, const std::string& environment) {
  auto rows = prepare(database,
                      "SELECT environment, host, bundle, commit_id, reason, since_ms, deployment, back_to FROM holds "
                      "WHERE (?1 = '' OR environment = ?1) ORDER BY since_ms",
                      environment);
  return all(rows, hold_of);
}

std::optional<Pin> pin_in(SQLite::Database& database, const std::string& environment) {
  auto rows = prepare(database,
                      "SELECT environment, head, target, requested_by, reason, since_ms FROM pins WHERE environment = ?",
                      environment);
  return first(rows, pin_of);
}

}  // namespace holdfast
