#pragma once

#include <controller/store/store.hpp>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// A statement with its arguments bound in their order.
template <typename... Arguments>
SQLite::Statement prepare(SQLite::Database& database, const std::string& text, const Arguments&... arguments) {
  SQLite::Statement statement(database, text);
  int index = 0;
  (statement.bind(++index, arguments), ...);
  return statement;
}

/// What `row` makes of each row.
template <typename Row>
auto all(SQLite::Statement& rows, Row row) {
  std::vector<decltype(row(rows))> list;
  while (rows.executeStep()) list.push_back(row(rows));
  return list;
}

/// What it makes of the first one, where there is one.
template <typename Row>
auto first(SQLite::Statement& rows, Row row) {
  std::optional<decltype(row(rows))> found;
  if (rows.executeStep()) found = row(rows);
  return found;
}

/// The columns of a table in the order in which the functions below read them.
inline constexpr const char* deployment_columns =
    "id, environment, host, transaction_id, commit_id, from_commit, subject, author, cause, requested_by, outcome, "
    "reason, "
    "plan, begun_ms, ended_ms, result, process";
/// The same without what is long.
inline constexpr const char* unsettled_columns =
    "id, environment, host, transaction_id, commit_id, from_commit, subject, author, cause, requested_by, outcome, "
    "reason, '', begun_ms, ended_ms, '', process";
inline constexpr const char* host_columns =
    "environment, host, state, detail, desired_commit, live_commit, live_bundle, live_checks, seen_ms, changed_ms, "
    "backups, epoch";
inline constexpr const char* environment_columns =
    "name, tracked, head, accepted, state, detail, changed_ms, accepted_tag";

std::string text(SQLite::Statement& row, int column);
std::int64_t number(SQLite::Statement& row, int column);

/// A row of those columns as a value.
Deployment deployment_of(SQLite::Statement& row);
HostRecord host_of(SQLite::Statement& row);
EnvironmentRecord environment_of(SQLite::Statement& row);
Hold hold_of(SQLite::Statement& row);
Pin pin_of(SQLite::Statement& row);

/// Its id.
std::int64_t insert_deployment(SQLite::Database& database, const Deployment& deployment);
int update_taken_back(SQLite::Database& database, std::int64_t id, const std::string& reason, std::int64_t at_ms);
std::vector<Deployment> deployments_of(SQLite::Database& database, const std::string& environment,
                                       const std::string& host, int limit);
std::vector<Deployment> unsettled_of(SQLite::Database& database, const std::string& environment,
                                     const std::string& host, int limit);

/// What was fought for on a host, the oldest first.
std::vector<Fight> fights_of(SQLite::Database& database, const std::string& environment, const std::string& host);
void insert_fights(SQLite::Database& database, const std::string& environment, const std::string& host,
                   const std::vector<Fight>& fights);
void raise_epoch_to(SQLite::Database& database, std::int64_t epoch);
void update_seen(SQLite::Database& database, const std::string& environment,
                 const std::map<std::string, std::int64_t>& seen_ms);
std::map<std::string, std::int64_t> downs_of(SQLite::Database& database, const std::string& environment,
                                             const std::string& name);
std::set<std::string> transactions_of(SQLite::Database& database, const std::string& host);
void replace_waits(SQLite::Database& database, const std::string& environment, const std::string& host,
                   const std::vector<Wait>& waits);
std::vector<Wait> waits_of(SQLite::Database& database, const std::string& environment);
std::vector<Undisturbed> undisturbed_of(SQLite::Database& database, const std::string& environment);
bool is_rollout(SQLite::Database& database, const std::string& environment, const Revision& revision,
                const std::string& hosts);
void write_rollout(SQLite::Database& database, const std::string& environment, const Revision& revision,
                   const std::string& hosts, std::int64_t at_ms);
std::optional<Pin> pin_in(SQLite::Database& database, const std::string& environment);
int insert_hold(SQLite::Database& database, const Hold& hold);
std::vector<Hold> holds_of(SQLite::Database& database, const std::string& environment);
int insert_suspension(SQLite::Database& database, const Suspension& suspension);
std::vector<Suspension> suspensions_of(SQLite::Database& database, const std::string& environment);
bool delete_suspension(SQLite::Database& database, const Suspension& suspension);
int insert_late_watch(SQLite::Database& database, const LateWatch& watch);
std::vector<LateWatch> late_watches_of(SQLite::Database& database, const std::string& environment);
int delete_late_watch(SQLite::Database& database, const LateWatch& watch);
int insert_policy_of(SQLite::Database& database, const std::string& environment, const std::string& host,
                     const std::string& commit, const std::string& policy);
std::string policy_in(SQLite::Database& database, const std::string& environment, const std::string& host,
                      const std::string& commit);
std::int64_t next_epoch_of(SQLite::Database& database);

}  // namespace holdfast
