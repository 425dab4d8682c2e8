#include <controller/store/store.hpp>

#include <controller/store/audit_rows.hpp>
#include <controller/store/rows.hpp>
#include <controller/store/schema.hpp>
#include <controller/store/waiting_events.hpp>
#include <controller/store/write_queue.hpp>
#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

namespace holdfast {

namespace {

constexpr int busy_ms = 10'000;

class SqliteStore : public Store {
 public:
  explicit SqliteStore(const std::string& path)
      : database_(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, busy_ms) {
    if (path != ":memory:") ::chmod(path.c_str(), S_IRUSR | S_IWUSR);
    database_.exec("PRAGMA journal_mode = DELETE");
    database_.exec("PRAGMA synchronous = FULL");
    database_.exec("PRAGMA foreign_keys = ON");
    migrate(database_, path);
  }

  ~SqliteStore() override {
    try {
      write_events();
    } catch (const Error&) {
      // Lines of the history; nobody is left to tell.
    }
  }

  std::int64_t begin_deployment(const Deployment& d) override {
    return written([&] { return insert_deployment(database_, d); });
  }

  void end_deployment(std::int64_t id, Outcome outcome, const std::string& reason, std::int64_t at_ms) override {
    written([&] {
      return prepare(database_, "UPDATE deployments SET outcome = ?, reason = ?, ended_ms = ? WHERE id = ?",
                     std::string(to_text(outcome)), reason, at_ms, id)
          .exec();
    });
  }

  void take_back_deployment(std::int64_t id, const std::string& reason, std::int64_t at_ms) override {
    written([&] { return update_taken_back(database_, id, reason, at_ms); });
  }

  void put_result(std::int64_t id, const std::string& result) override {
    written([&] { return prepare(database_, "UPDATE deployments SET result = ? WHERE id = ?", result, id).exec(); });
  }

  /// Written with the next thing that is: a sync of the disk for each would be what a thousand hosts wait for.
  void add_event(std::int64_t id, std::int64_t at_ms, const std::string& line) override {
    if (!events_.add(id, {at_ms, line})) return;
    try {
      write_events();
    } catch (const Error&) {
      // Lines of the history are not worth a deployment: they wait for the next write that succeeds.
    }
  }

  std::vector<Deployment> deployments(const std::string& environment, const std::string& host, int limit) override {
    return guarded([&] { return deployments_of(database_, environment, host, limit); });
  }

  std::optional<Deployment> deployment(std::int64_t id) override {
    return guarded([&] {
      auto rows =
          prepare(database_, std::string("SELECT ") + deployment_columns + " FROM deployments WHERE id = ?", id);
      return first(rows, deployment_of);
    });
  }

  std::vector<Deployment> unsettled(const std::string& environment, const std::string& host, int limit) override {
    return guarded([&] { return unsettled_of(database_, environment, host, limit); });
  }

  std::set<std::string> transactions(const std::string& host) override {
    return guarded([&] { return transactions_of(database_, host); });
  }

  std::vector<DeploymentEvent> events(std::int64_t id) override {
    write_events();
    return guarded([&] {
      auto rows = prepare(database_, "SELECT at_ms, text FROM events WHERE deployment = ? ORDER BY rowid", id);
      return all(rows, [](SQLite::Statement& row) { return DeploymentEvent{number(row, 0), text(row, 1)}; });
    });
  }

  void put_host(const HostRecord& r) override {
    written([&] {
      return prepare(
                 database_,
                 std::string("INSERT OR REPLACE INTO hosts (") + host_columns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                 r.environment, r.host, r.state, r.detail, r.desired_commit, r.live_commit, r.live_bundle,
                 r.live_checks, r.seen_ms, r.changed_ms, r.backups, r.epoch)
          .exec();
    });
  }

  void saw_hosts(const std::string& environment, const std::map<std::string, std::int64_t>& seen_ms) override {
    if (seen_ms.empty()) return;
    written([&] {
      update_seen(database_, environment, seen_ms);
      return 0;
    });
  }

  std::optional<HostRecord> host(const std::string& environment, const std::string& name) override {
    return guarded([&] {
      auto rows =
          prepare(database_, std::string("SELECT ") + host_columns + " FROM hosts WHERE environment = ? AND host = ?",
                  environment, name);
      return first(rows, host_of);
    });
  }

  std::vector<HostRecord> hosts(const std::string& environment) override {
    return guarded([&] {
      auto rows = prepare(database_,
                          std::string("SELECT ") + host_columns +
                              " FROM hosts WHERE (?1 = '' OR environment = ?1) ORDER BY environment, host",
                          environment);
      return all(rows, host_of);
    });
  }

  void put_downs(const std::string& environment, const std::string& name,
                 const std::map<std::string, std::int64_t>& down_ms) override {
    written([&] {
      for (const auto& [unit, ms] : down_ms) {
        prepare(database_, "INSERT OR REPLACE INTO downs VALUES (?,?,?,?)", environment, name, unit, ms).exec();
      }
      return 0;
    });
  }

  std::map<std::string, std::int64_t> downs(const std::string& environment, const std::string& name) override {
    return guarded([&] { return downs_of(database_, environment, name); });
  }

  void put_hold(const Hold& h) override {
    written([&] { return insert_hold(database_, h); });
  }

  std::vector<Hold> holds(const std::string& environment) override {
    return guarded([&] { return holds_of(database_, environment); });
  }

  int remove_holds(const std::string& environment, const std::string& host) override {
    return written([&] {
      return prepare(database_, "DELETE FROM holds WHERE environment = ?1 AND (?2 = '' OR host = ?2)", environment,
                     host)
          .exec();
    });
  }

  void put_fights(const std::string& environment, const std::string& name, const std::vector<Fight>& fights) override {
    if (fights.empty()) return;
    written([&] {
      insert_fights(database_, environment, name, fights);
      return 0;
    });
  }

  std::vector<Fight> fights(const std::string& environment, const std::string& name) override {
    return guarded([&] { return fights_of(database_, environment, name); });
  }

  int remove_fights(const std::string& environment, const std::string& name) override {
    return written([&] {
      return prepare(database_, "DELETE FROM fights WHERE environment = ?1 AND (?2 = '' OR host = ?2)", environment,
                     name)
          .exec();
    });
  }

  void put_pin(const Pin& p) override {
    written([&] {
      return prepare(database_, "INSERT OR REPLACE INTO pins VALUES (?,?,?,?,?,?)", p.environment, p.head, p.target,
                     p.requested_by, p.reason, p.since_ms)
          .exec();
    });
  }

  std::optional<Pin> pin(const std::string& environment) override {
    return guarded([&] { return pin_in(database_, environment); });
  }

  bool remove_pin(const std::string& environment) override {
    return written(
        [&] { return prepare(database_, "DELETE FROM pins WHERE environment = ?", environment).exec() > 0; });
  }

  void put_suspension(const Suspension& one) override {
    written([&] { return insert_suspension(database_, one); });
  }

  std::vector<Suspension> suspensions(const std::string& environment) override {
    return guarded([&] { return suspensions_of(database_, environment); });
  }

  bool remove_suspension(const Suspension& one) override {
    return written([&] { return delete_suspension(database_, one); });
  }

  void put_late_watches(const std::vector<LateWatch>& watches) override {
    if (watches.empty()) return;
    written([&] {
      for (const LateWatch& one : watches) insert_late_watch(database_, one);
      return 0;
    });
  }

  std::vector<LateWatch> late_watches(const std::string& environment) override {
    return guarded([&] { return late_watches_of(database_, environment); });
  }

  void remove_late_watch(const LateWatch& watch) override {
    written([&] { return delete_late_watch(database_, watch); });
  }

  void put_policy_of(const std::string& environment, const std::string& host, const std::string& commit,
                     const std::string& policy) override {
    written([&] { return insert_policy_of(database_, environment, host, commit, policy); });
  }

  std::string policy_of(const std::string& environment, const std::string& host, const std::string& commit) override {
    return guarded([&] { return policy_in(database_, environment, host, commit); });
  }

  void put_rollout(const std::string& environment, const Revision& revision, const std::string& hosts,
                   std::int64_t at_ms) override {
    if (guarded([&] { return is_rollout(database_, environment, revision, hosts); })) return;
    written([&] {
      write_rollout(database_, environment, revision, hosts, at_ms);
      return 0;
    });
  }

  void put_waits(const std::string& environment, const std::string& host, const std::vector<Wait>& waits) override {
    written([&] {
      replace_waits(database_, environment, host, waits);
      return 0;
    });
  }

  std::vector<Wait> waits(const std::string& environment) override {
    return guarded([&] { return waits_of(database_, environment); });
  }

  std::vector<Undisturbed> undisturbed(const std::string& environment) override {
    return guarded([&] { return undisturbed_of(database_, environment); });
  }

  void put_environment(const EnvironmentRecord& r) override {
    written([&] {
      return prepare(database_, "INSERT OR REPLACE INTO environments VALUES (?,?,?,?,?,?,?,?)", r.name, r.tracked,
                     r.head, r.accepted, r.state, r.detail, r.changed_ms, r.accepted_tag)
          .exec();
    });
  }

  std::vector<EnvironmentRecord> environments() override {
    return guarded([&] {
      SQLite::Statement rows(database_,
                             std::string("SELECT ") + environment_columns + " FROM environments ORDER BY name");
      return all(rows, environment_of);
    });
  }

  std::optional<EnvironmentRecord> environment(const std::string& name) override {
    return guarded([&] {
      auto rows =
          prepare(database_, std::string("SELECT ") + environment_columns + " FROM environments WHERE name = ?", name);
      return first(rows, environment_of);
    });
  }

  void add_audit(const AuditEntry& entry) override {
    written([&] { return insert_audit(database_, entry); });
  }

  void put_note(const std::string& name, const std::string& note) override {
    written([&] { return prepare(database_, "INSERT OR REPLACE INTO notes VALUES (?,?)", name, note).exec(); });
  }

  std::optional<std::string> note(const std::string& name) override {
    return guarded([&] {
      auto rows = prepare(database_, "SELECT text FROM notes WHERE name = ?", name);
      return first(rows, [](SQLite::Statement& row) { return text(row, 0); });
    });
  }

  std::int64_t next_epoch() override {
    return written([&] { return next_epoch_of(database_); });
  }

  void raise_epoch(std::int64_t epoch) override {
    if (epoch <= raised_to_) return;
    written([&] {
      raise_epoch_to(database_, epoch);
      return 0;
    });
    raised_to_ = std::max(raised_to_.load(), epoch);
  }

 private:
  template <typename Work>
  auto guarded(Work work) -> decltype(work()) {
    const std::scoped_lock lock(mutex_);
    try {
      return work();
    } catch (const SQLite::Exception& error) {
      throw_unusable(error);
    }
  }

  [[noreturn]] static void throw_unusable(const SQLite::Exception& error) {
    throw Error(std::string("the controller's state can't be used: ") + error.what());
  }

  template <typename Work>
  auto written(Work work) -> decltype(work()) {
    decltype(work()) result{};
    try {
      writes_.write([&] { result = work(); }, [&](const auto& all) { transact(all); });
    } catch (const SQLite::Exception& error) {  // of a statement in a transaction that others shared
      throw_unusable(error);
    }
    return result;
  }

  template <typename All>
  void transact(const All& all) {
    guarded([&] {
      SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
      WaitingEvents::Taken events(events_);
      insert_events(events.list());
      all();
      commit(transaction);
      events.are_written();
      return 0;
    });
  }

  void commit(SQLite::Transaction& transaction) {
    HOLDFAST_FAILPOINT("store.commit");
    transaction.commit();
    HOLDFAST_FAILPOINT("store.committed");
  }

  void write_events() {
    if (!events_.empty()) written([] { return 0; });
  }

  void insert_events(const WaitingEvents::List& events) {
    if (events.empty()) return;
    SQLite::Statement insert(database_, "INSERT INTO events VALUES (?,?,?)");
    for (const auto& [deployment, event] : events) {
      insert.reset();
      insert.bind(1, deployment);
      insert.bind(2, event.at_ms);
      insert.bind(3, event.text);
      insert.exec();
    }
  }

  std::atomic<std::int64_t> raised_to_ = 0;  // what hosts showed so far
  std::mutex mutex_;
  SQLite::Database database_;
  WriteQueue writes_;
  WaitingEvents events_;  // that the file does not have yet
};

}  // namespace

std::unique_ptr<Store> Store::open(const std::string& path) {
  try {
    return std::make_unique<SqliteStore>(path);
  } catch (const SQLite::Exception& error) {
    throw Error("the state file \"" + path + "\" can't be opened: " + error.what());
  }
}

}  // namespace holdfast
