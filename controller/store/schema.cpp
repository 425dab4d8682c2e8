#include <controller/store/schema.hpp>

namespace holdfast {

const std::vector<std::string_view>& store_migrations() {
  static const std::vector<std::string_view> migrations = {
      // 1: the first shape
      R"sql(
        CREATE TABLE deployments (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          environment TEXT NOT NULL, host TEXT NOT NULL, transaction_id TEXT NOT NULL,
          commit_id TEXT NOT NULL, from_commit TEXT NOT NULL, subject TEXT NOT NULL, author TEXT NOT NULL,
          cause TEXT NOT NULL, requested_by TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL,
          plan TEXT NOT NULL, begun_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL) STRICT;
        CREATE INDEX deployments_by_host ON deployments (environment, host, id);
        CREATE TABLE events (
          deployment INTEGER NOT NULL REFERENCES deployments (id), at_ms INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
        CREATE INDEX events_by_deployment ON events (deployment);
        CREATE TABLE hosts (
          environment TEXT NOT NULL, host TEXT NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL,
          desired_commit TEXT NOT NULL, live_commit TEXT NOT NULL, live_bundle TEXT NOT NULL, live_checks TEXT NOT NULL,
          seen_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, PRIMARY KEY (environment, host)) STRICT;
        CREATE TABLE holds (
          environment TEXT NOT NULL, host TEXT NOT NULL, bundle TEXT NOT NULL, commit_id TEXT NOT NULL,
          reason TEXT NOT NULL, since_ms INTEGER NOT NULL, deployment INTEGER NOT NULL,
          PRIMARY KEY (environment, host, bundle)) STRICT;
        CREATE TABLE pins (
          environment TEXT PRIMARY KEY, head TEXT NOT NULL, target TEXT NOT NULL, requested_by TEXT NOT NULL,
          reason TEXT NOT NULL, since_ms INTEGER NOT NULL) STRICT;
        CREATE TABLE environments (
          name TEXT PRIMARY KEY, tracked TEXT NOT NULL, head TEXT NOT NULL, accepted TEXT NOT NULL, state TEXT NOT NULL,
          detail TEXT NOT NULL, changed_ms INTEGER NOT NULL) STRICT;
        CREATE TABLE epochs (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
      )sql",
      // 2: how the backups of a host stand
      "ALTER TABLE hosts ADD COLUMN backups TEXT NOT NULL DEFAULT ''",
      // 3: what came of each change and check; how long units' last restarts took
      R"sql(
        ALTER TABLE deployments ADD COLUMN result TEXT NOT NULL DEFAULT '';
        CREATE TABLE downs (
          environment TEXT NOT NULL, host TEXT NOT NULL, unit TEXT NOT NULL, down_ms INTEGER NOT NULL,
          PRIMARY KEY (environment, host, unit)) STRICT;
      )sql",
      // 4: which process is at it; what hosts have to be asked for
      R"sql(
        ALTER TABLE deployments ADD COLUMN process TEXT NOT NULL DEFAULT '';
        CREATE INDEX deployments_unsettled ON deployments (environment, host, id)
          WHERE outcome IN ('running', 'unknown');
      )sql",
      // 5: the tag that the accepted commit of an environment was found by
      "ALTER TABLE environments ADD COLUMN accepted_tag TEXT NOT NULL DEFAULT ''",
  };
  return migrations;
}

}  // namespace holdfast
