#include <reconcilers/backup/sqlite_database.hpp>

#include <reconcilers/backup/record.hpp>

#include <grp.h>
#include <sqlite3.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <vector>

namespace holdfast {

namespace {

constexpr int pages_at_once = 1024;
constexpr int retry_ms = 20;
constexpr int restarts_before_holding = 3;
constexpr int ops_between_checks = 1'000'000;
constexpr int busy_ms = 5000;

/// Files are opened with the rights of that account while this lives; for one thread, which is all we have here.
class ActingAs {
 public:
  explicit ActingAs(const std::optional<RunAs>& as) : active_(as && as->uid != 0 && ::geteuid() == 0) {
    if (!active_) return;
    groups_.resize(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
    ::getgroups(static_cast<int>(groups_.size()), groups_.data());
    if (::setgroups(as->groups.size(), as->groups.data()) != 0) throw Error("cannot take on the groups of " + as->name);
    ::setfsgid(as->gid);
    ::setfsuid(as->uid);
    if (::setfsuid(static_cast<uid_t>(-1)) != static_cast<int>(as->uid)) throw Error("cannot act as " + as->name);
  }
  ~ActingAs() {
    if (!active_) return;
    ::setfsuid(::geteuid());
    ::setfsgid(::getegid());
    static_cast<void>(::setgroups(groups_.size(), groups_.data()));
  }
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;

 private:
  bool active_;
  std::vector<gid_t> groups_{};
};

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinishStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
struct FinishBackup {
  void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinishStatement>;

[[noreturn]] void fail(const std::string& what, sqlite3* database) {
  throw DamagedBackup(what + ": " + (database == nullptr ? "out of memory" : sqlite3_errmsg(database)));
}

Database open(const std::string& name, int flags) {
  sqlite3* raw = nullptr;
  const int result = sqlite3_open_v2(name.c_str(), &raw, flags, nullptr);
  Database database(raw);
  if (result != SQLITE_OK) fail("cannot open the database \"" + name + "\"", raw);
  sqlite3_busy_timeout(raw, busy_ms);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database;
}

/// Every row of a query, each as its first column's text.
void each_row(sqlite3* database, const std::string& sql, const std::function<void(sqlite3_stmt*)>& use) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) fail("cannot read it", database);
  const Statement statement(raw);
  for (;;) {
    const int result = sqlite3_step(raw);
    if (result == SQLITE_DONE) return;
    if (result != SQLITE_ROW) fail("cannot read it", database);
    use(raw);
  }
}

std::int64_t number(sqlite3* database, const std::string& sql) {
  std::int64_t value = 0;
  each_row(database, sql, [&](sqlite3_stmt* row) { value = sqlite3_column_int64(row, 0); });
  return value;
}

std::string text_at(sqlite3_stmt* row) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, 0));
  return text == nullptr ? "" : text;
}

std::string quoted_name(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

/// In WAL mode a read transaction is a snapshot that disturbs no writer. Otherwise writers wait while we hold the lock,
/// so it is let go between pieces; a writer in between makes SQLite begin again, and after a few times we hold on.
void copy_pages(sqlite3* from, sqlite3* to, const BackupGuard& guard) {
  bool is_wal = false;
  each_row(from, "PRAGMA journal_mode", [&](sqlite3_stmt* row) { is_wal = text_at(row) == "wal"; });
  if (is_wal) {
    if (sqlite3_exec(from, "BEGIN", nullptr, nullptr, nullptr) != SQLITE_OK) fail("cannot read it", from);
    static_cast<void>(number(from, "SELECT count(*) FROM sqlite_schema"));
  }
  const std::unique_ptr<sqlite3_backup, FinishBackup> backup(sqlite3_backup_init(to, "main", from, "main"));
  if (!backup) fail("cannot copy it", to);
  int remaining = -1;
  int restarts = 0;
  for (;;) {
    guard.check();
    const int result = sqlite3_backup_step(backup.get(), restarts >= restarts_before_holding ? -1 : pages_at_once);
    if (result == SQLITE_DONE) return;
    const bool busy = result == SQLITE_BUSY || result == SQLITE_LOCKED;
    if (result != SQLITE_OK && !busy) throw Error(std::string("cannot copy it: ") + sqlite3_errstr(result));
    const int now = sqlite3_backup_remaining(backup.get());
    if (!busy && remaining >= 0 && now >= remaining) ++restarts;
    remaining = now;
    if (busy || !is_wal) sqlite3_sleep(busy ? retry_ms : 1);
  }
}

std::string immutable_name(const std::string& path) {
  std::string name = "file:";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                       c == '.' || c == '-' || c == '_';
    static constexpr const char* digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    name += plain ? std::string(1, c) : std::string{'%', digits[byte >> 4U], digits[byte & 15U]};
  }
  return name + "?mode=ro&immutable=1";
}

/// The guard may end what takes long. An exception can't pass through SQLite: it is kept and thrown after.
struct Watch {
  const BackupGuard& guard;
  std::string why{};
};

int ask_guard(void* argument) {
  auto* watch = static_cast<Watch*>(argument);
  try {
    watch->guard.check();
    return 0;
  } catch (const Error& error) {
    watch->why = error.what();
    return 1;
  }
}

DatabaseFacts facts_of(sqlite3* database) {
  std::string finding;
  each_row(database, "PRAGMA integrity_check(1)", [&](sqlite3_stmt* row) { finding = text_at(row); });
  if (finding != "ok") throw DamagedBackup("integrity_check found: " + finding);
  DatabaseFacts facts;
  facts.pages = number(database, "PRAGMA page_count");
  facts.page_bytes = number(database, "PRAGMA page_size");
  std::vector<std::string> tables;
  each_row(database, "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0",
           [&](sqlite3_stmt* row) { tables.push_back(text_at(row)); });
  facts.tables = static_cast<std::int64_t>(tables.size());
  for (const std::string& table : tables) facts.rows += number(database, "SELECT count(*) FROM " + quoted_name(table));
  return facts;
}

}  // namespace

void copy_database(const std::string& from, const std::string& to, const std::optional<RunAs>& owner,
                   const BackupGuard& guard) {
  const Database target = open(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  // A copy that is not finished is thrown away: it needs no journal.
  sqlite3_exec(target.get(), "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", nullptr, nullptr, nullptr);
  const ActingAs acting(owner);
  const Database source = open(from, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW);
  copy_pages(source.get(), target.get(), guard);
}

DatabaseFacts check_database(const std::string& path, const BackupGuard& guard) {
  const Database database = open(immutable_name(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  Watch watch{guard};
  sqlite3_progress_handler(database.get(), ops_between_checks, ask_guard, &watch);
  try {
    return facts_of(database.get());
  } catch (const Error&) {
    if (!watch.why.empty()) throw Error(watch.why);
    throw;
  }
}

}  // namespace holdfast
