#include <controller/audit/queue.hpp>

#include <controller/store/rows.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <mutex>

namespace holdfast {

namespace {

constexpr int busy_ms = 10'000;

class SqliteAuditQueue : public AuditQueue {
 public:
  explicit SqliteAuditQueue(const std::string& path) : database_(path, SQLite::OPEN_READWRITE, busy_ms) {
    database_.exec("PRAGMA synchronous = FULL");
  }

  std::vector<WaitingEntry> waiting(int most) override {
    return guarded([&] {
      auto rows = prepare(database_, "SELECT id, deployment, at_ms, body, entry FROM audits ORDER BY id LIMIT ?", most);
      return all(rows, [](SQLite::Statement& row) {
        WaitingEntry one{.id = number(row, 0), .deployment = number(row, 1), .at_ms = number(row, 2)};
        if (one.deployment != 0) return one;
        one.entry = audit_entry_from(from_json(text(row, 3)));
        one.entry.id = text(row, 4);
        return one;
      });
    });
  }

  std::int64_t count() override {
    return guarded([&] { return database_.execAndGet("SELECT count(*) FROM audits").getInt64(); });
  }

  void remove(const std::vector<std::int64_t>& ids) override {
    if (ids.empty()) return;
    guarded([&] {
      SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
      for (const std::int64_t id : ids) prepare(database_, "DELETE FROM audits WHERE id = ?", id).exec();
      transaction.commit();
      return 0;
    });
  }

 private:
  template <typename Work>
  auto guarded(Work work) -> decltype(work()) {
    const std::scoped_lock lock(mutex_);
    try {
      return work();
    } catch (const SQLite::Exception& error) {
      throw Error(std::string("the queue of the audit can't be used: ") + error.what());
    }
  }

  std::mutex mutex_;
  SQLite::Database database_;
};

}  // namespace

std::unique_ptr<AuditQueue> AuditQueue::open(const std::string& state_file) {
  try {
    return std::make_unique<SqliteAuditQueue>(state_file);
  } catch (const SQLite::Exception& error) {
    throw Error("the state file \"" + state_file + "\" can't be opened: " + error.what());
  }
}

}  // namespace holdfast
