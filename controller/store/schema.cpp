#include <controller/store/schema.hpp>

#include <manifests/error.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

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
      // 6: what is to be told of deployments that ended, in the transaction that ends them; who waits to be told what
      R"sql(
        CREATE TABLE tellings (
          id INTEGER PRIMARY KEY AUTOINCREMENT, deployment INTEGER NOT NULL, at_ms INTEGER NOT NULL) STRICT;
        CREATE TRIGGER deployment_ended AFTER UPDATE OF outcome ON deployments
        WHEN NEW.outcome <> OLD.outcome
          AND NEW.outcome IN ('deployed', 'repaired', 'rolled back', 'rollback failed', 'refused')
        BEGIN
          INSERT INTO tellings (deployment, at_ms) VALUES (NEW.id, NEW.ended_ms);
          DELETE FROM tellings WHERE id <= (SELECT max(id) FROM tellings) - 10000;
        END;
        CREATE TABLE rollouts (
          environment TEXT PRIMARY KEY, commit_id TEXT NOT NULL, subject TEXT NOT NULL, author TEXT NOT NULL,
          hosts TEXT NOT NULL, since_ms INTEGER NOT NULL) STRICT;
        CREATE TABLE told (
          environment TEXT NOT NULL, host TEXT NOT NULL, what TEXT NOT NULL, key TEXT NOT NULL, at_ms INTEGER NOT NULL,
          PRIMARY KEY (environment, host, what)) STRICT;
        CREATE TABLE deliveries (
          id INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, replaces TEXT NOT NULL, body TEXT NOT NULL,
          made_ms INTEGER NOT NULL, tries INTEGER NOT NULL) STRICT;
        CREATE INDEX deliveries_by_sink ON deliveries (sink, id);
        CREATE TABLE sinks (
          name TEXT PRIMARY KEY, failing_since_ms INTEGER NOT NULL, why TEXT NOT NULL, dropped INTEGER NOT NULL,
          delivered_ms INTEGER NOT NULL) STRICT;
      )sql",
      // 7: what the controller remembers besides, by name
      "CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT",
      // 8: up to which epoch of a host all is known
      "ALTER TABLE hosts ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0",
      // 9: what somebody else goes on changing
      R"sql(
        CREATE TABLE fights (
          environment TEXT NOT NULL, host TEXT NOT NULL, id TEXT NOT NULL, wanted TEXT NOT NULL,
          at_ms INTEGER NOT NULL) STRICT;
        CREATE INDEX fights_by_host ON fights (environment, host, at_ms);
      )sql",
      // 10: what waits to be written to the audit branch: in the transaction that makes it so
      R"sql(
        CREATE TABLE audits (
          id INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL UNIQUE, deployment INTEGER NOT NULL,
          at_ms INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
        CREATE TRIGGER deployment_audited AFTER UPDATE OF outcome ON deployments
        WHEN NEW.outcome <> OLD.outcome
          AND NEW.outcome IN ('deployed', 'repaired', 'rolled back', 'rollback failed', 'refused')
        BEGIN
          INSERT OR IGNORE INTO audits (entry, deployment, at_ms, body)
            VALUES ('deployment ' || NEW.id, NEW.id, NEW.ended_ms, '');
        END;
        CREATE TRIGGER deployment_learned AFTER INSERT ON deployments
        WHEN NEW.outcome IN ('deployed', 'repaired', 'rolled back', 'rollback failed', 'refused')
        BEGIN
          INSERT OR IGNORE INTO audits (entry, deployment, at_ms, body)
            VALUES ('deployment ' || NEW.id, NEW.id, NEW.begun_ms, '');
        END;
      )sql",
      // 11: what waits and since when; since when a host has been as it is, also while nobody asked
      R"sql(
        CREATE TABLE waits (
          environment TEXT NOT NULL, host TEXT NOT NULL, gate TEXT NOT NULL, commit_id TEXT NOT NULL, why TEXT NOT NULL,
          found TEXT NOT NULL, since_ms INTEGER NOT NULL, PRIMARY KEY (environment, host, gate)) STRICT;
        CREATE TABLE undisturbed (
          environment TEXT NOT NULL, host TEXT NOT NULL, commit_id TEXT NOT NULL, state TEXT NOT NULL,
          since_ms INTEGER NOT NULL, PRIMARY KEY (environment, host)) STRICT;
        INSERT INTO undisturbed SELECT environment, host, live_commit, state, max(changed_ms, seen_ms) FROM hosts;
        CREATE TRIGGER host_written AFTER INSERT ON hosts
        BEGIN
          DELETE FROM undisturbed WHERE environment = NEW.environment AND host = NEW.host
            AND (commit_id <> NEW.live_commit OR state <> NEW.state);
          INSERT INTO undisturbed
            SELECT NEW.environment, NEW.host, NEW.live_commit, NEW.state, max(NEW.changed_ms, NEW.seen_ms)
            WHERE NOT EXISTS
              (SELECT 1 FROM undisturbed WHERE environment = NEW.environment AND host = NEW.host);
        END;
        CREATE TRIGGER deployment_settled AFTER UPDATE OF outcome ON deployments WHEN NEW.ended_ms <> 0
        BEGIN
          UPDATE undisturbed SET since_ms = max(since_ms, NEW.ended_ms)
            WHERE environment = NEW.environment AND host = NEW.host;
        END;
      )sql",
      // 12: what a host that has a held state goes back to
      "ALTER TABLE holds ADD COLUMN back_to TEXT NOT NULL DEFAULT ''",
      // 13: drift that is told and not put right, and what somebody else goes on changing, are for the audit, too
      R"sql(
        CREATE TRIGGER host_audited BEFORE INSERT ON hosts
        WHEN NEW.state IN ('contended', 'drifted') AND NOT EXISTS (
          SELECT 1 FROM hosts WHERE environment = NEW.environment AND host = NEW.host AND state = NEW.state)
        BEGIN
          INSERT INTO audits (entry, deployment, at_ms, body)
            SELECT name, 0, NEW.changed_ms,
              json_object('kind', NEW.state, 'environment', NEW.environment, 'revision', NEW.live_commit,
                          'hosts', json_array(NEW.host), 'outcome', NEW.state, 'reason', NEW.detail,
                          'at_ms', NEW.changed_ms)
            FROM (SELECT NEW.state || ' ' || NEW.environment || ' ' || NEW.host || ' ' || (NEW.changed_ms / 86400000) ||
                    ' ' || NEW.detail AS name)
            WHERE name NOT IN (SELECT entry FROM audits);
        END;
      )sql",
      // 14: what people took out of our hands for a time
      R"sql(
        CREATE TABLE suspensions (
          environment TEXT NOT NULL, host TEXT NOT NULL, app TEXT NOT NULL, suspended_by TEXT NOT NULL,
          reason TEXT NOT NULL, since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
          PRIMARY KEY (environment, host, app)) STRICT;
      )sql",
      // 15: hosts that are watched for a while after they have a new commit
      R"sql(
        CREATE TABLE late_watches (
          environment TEXT NOT NULL, host TEXT NOT NULL, deployment INTEGER NOT NULL, commit_id TEXT NOT NULL,
          bundle TEXT NOT NULL, back_to TEXT NOT NULL, begun_ms INTEGER NOT NULL, for_ms INTEGER NOT NULL,
          tally TEXT NOT NULL, PRIMARY KEY (environment, host)) STRICT;
      )sql",
      // 16: the root branch's commit that a verified state was made with
      R"sql(
        CREATE TABLE verified (
          environment TEXT NOT NULL, host TEXT NOT NULL, commit_id TEXT NOT NULL, policy TEXT NOT NULL,
          PRIMARY KEY (environment, host, commit_id)) STRICT;
      )sql",
      // 17: what was undone because something newer was wanted is for the audit, too; what was never begun is not
      R"sql(
        CREATE TRIGGER deployment_superseded AFTER UPDATE OF outcome ON deployments
        WHEN NEW.outcome <> OLD.outcome AND NEW.outcome = 'superseded' AND NEW.reason NOT LIKE 'nothing was done%'
        BEGIN
          INSERT OR IGNORE INTO audits (entry, deployment, at_ms, body)
            VALUES ('deployment ' || NEW.id, NEW.id, NEW.ended_ms, '');
        END;
      )sql",
  };
  return migrations;
}

void migrate(SQLite::Database& database, const std::string& path) {
  const auto& migrations = store_migrations();
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  const int version = database.execAndGet("PRAGMA user_version").getInt();
  if (version > static_cast<int>(migrations.size())) {
    throw Error("the state file \"" + path + "\" has version " + std::to_string(version) +
                ", written by a newer holdfast; this one knows " + std::to_string(migrations.size()));
  }
  for (auto i = static_cast<std::size_t>(version); i < migrations.size(); ++i) {
    database.exec(std::string(migrations[i]));
  }
  database.exec("PRAGMA user_version = " + std::to_string(migrations.size()));
  transaction.commit();
}

}  // namespace holdfast
