#include <controller/notify/queue.hpp>

#include <controller/store/rows.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/failpoint.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <mutex>

namespace holdfast {

namespace {

constexpr int busy_ms = 10'000;

class SqliteNotifyQueue : public NotifyQueue {
 public:
  explicit SqliteNotifyQueue(const std::string& path) : database_(path, SQLite::OPEN_READWRITE, busy_ms) {
    database_.exec("PRAGMA synchronous = FULL");
  }

  void use_sinks(const std::vector<std::string>& names) override {
    written([&] {
      const bool first = database_.execAndGet("SELECT count(*) FROM sinks").getInt64() == 0;
      if (first || names.empty()) database_.exec("DELETE FROM tellings; DELETE FROM told");
      for (const std::string& name : names) {
        prepare(database_, "INSERT OR IGNORE INTO sinks VALUES (?, 0, '', 0, 0)", name).exec();
      }
      for (const std::string& gone : names_but(names)) {
        prepare(database_, "DELETE FROM sinks WHERE name = ?", gone).exec();
        prepare(database_, "DELETE FROM deliveries WHERE sink = ?", gone).exec();
      }
    });
  }

  std::vector<Ended> ended(int most) override {
    return guarded([&] {
      auto rows = prepare(database_, "SELECT id, deployment, at_ms FROM tellings ORDER BY id LIMIT ?", most);
      std::vector<Ended> list;
      while (rows.executeStep()) list.push_back({number(rows, 0), number(rows, 1), number(rows, 2)});
      return list;
    });
  }

  std::vector<RolloutRecord> rollouts() override {
    return guarded([&] {
      SQLite::Statement rows(database_,
                             "SELECT environment, commit_id, subject, author, hosts, since_ms FROM rollouts");
      std::vector<RolloutRecord> list;
      while (rows.executeStep()) {
        list.push_back({text(rows, 0), text(rows, 1), text(rows, 2), text(rows, 3), from_json(text(rows, 4)).as_texts(),
                        number(rows, 5)});
      }
      return list;
    });
  }

  ToldMap told() override {
    return guarded([&] {
      SQLite::Statement rows(database_, "SELECT environment, host, what, key, at_ms FROM told");
      ToldMap map;
      while (rows.executeStep()) {
        map[{text(rows, 0), text(rows, 1), text(rows, 2)}] = {text(rows, 3), number(rows, 4)};
      }
      return map;
    });
  }

  std::int64_t data_version() override {
    return guarded([&] { return database_.execAndGet("PRAGMA data_version").getInt64(); });
  }

  void put(const News& news, const std::vector<SinkSettings>& sinks, std::int64_t now_ms) override {
    written([&] {
      for (const Notification& note : news.notes) {
        const std::string body = to_json(to_value(note));
        for (const SinkSettings& sink : sinks) {
          if (wants(sink, note)) insert(sink, note, body, now_ms);
        }
      }
      for (const std::int64_t id : news.taken) prepare(database_, "DELETE FROM tellings WHERE id = ?", id).exec();
      for (const auto& [key, told] : news.told) {
        prepare(database_, "INSERT OR REPLACE INTO told VALUES (?,?,?,?,?)", std::get<0>(key), std::get<1>(key),
                std::get<2>(key), told.key, told.at_ms)
            .exec();
      }
      for (const SinkSettings& sink : sinks) drop_oldest(sink.name);
    });
  }

  std::optional<Delivery> next(const std::string& sink) override {
    return guarded([&]() -> std::optional<Delivery> {
      auto rows = prepare(database_,
                          "SELECT id, body, made_ms, tries FROM deliveries WHERE sink = ? ORDER BY id LIMIT 1", sink);
      if (!rows.executeStep()) return std::nullopt;
      return Delivery{number(rows, 0), sink, notification_from(from_json(text(rows, 1))), number(rows, 2),
                      static_cast<int>(number(rows, 3))};
    });
  }

  void delivered(const Delivery& one, std::int64_t now_ms) override {
    HOLDFAST_FAILPOINT("notify.sent");
    written([&] {
      prepare(database_, "DELETE FROM deliveries WHERE id = ?", one.id).exec();
      prepare(database_, "UPDATE sinks SET failing_since_ms = 0, why = '', delivered_ms = ? WHERE name = ?", now_ms,
              one.sink)
          .exec();
    });
    HOLDFAST_FAILPOINT("notify.delivered");
  }

  void failed(const Delivery& one, const std::string& why, std::int64_t now_ms) override {
    written([&] {
      prepare(database_, "UPDATE deliveries SET tries = tries + 1 WHERE id = ?", one.id).exec();
      prepare(database_,
              "UPDATE sinks SET failing_since_ms = CASE failing_since_ms WHEN 0 THEN ? ELSE failing_since_ms END, "
              "why = ? WHERE name = ?",
              now_ms, why, one.sink)
          .exec();
    });
  }

  void give_up(const Delivery& one) override {
    written([&] { prepare(database_, "DELETE FROM deliveries WHERE id = ?", one.id).exec(); });
  }

  void told_of_dropped(const std::string& sink, std::int64_t count) override {
    written([&] {
      prepare(database_, "UPDATE sinks SET dropped = max(0, dropped - ?) WHERE name = ?", count, sink).exec();
    });
  }

  std::vector<SinkRecord> sinks() override {
    return guarded([&] {
      SQLite::Statement rows(database_,
                             "SELECT name, failing_since_ms, why, (SELECT count(*) FROM deliveries WHERE sink = name), "
                             "dropped, delivered_ms FROM sinks ORDER BY name");
      std::vector<SinkRecord> list;
      while (rows.executeStep()) {
        list.push_back(
            {text(rows, 0), number(rows, 1), text(rows, 2), number(rows, 3), number(rows, 4), number(rows, 5)});
      }
      return list;
    });
  }

 private:
  std::vector<std::string> names_but(const std::vector<std::string>& kept) {
    SQLite::Statement rows(database_, "SELECT name FROM sinks");
    std::vector<std::string> others;
    while (rows.executeStep()) {
      if (std::ranges::find(kept, text(rows, 0)) == kept.end()) others.push_back(text(rows, 0));
    }
    return others;
  }

  void insert(const SinkSettings& sink, const Notification& note, const std::string& body, std::int64_t now_ms) {
    const std::string replaces = shows_status(sink) ? note.environment + " " + note.revision : "";
    if (!replaces.empty()) {
      prepare(database_, "DELETE FROM deliveries WHERE sink = ? AND replaces = ?", sink.name, replaces).exec();
    }
    prepare(database_, "INSERT INTO deliveries (sink, replaces, body, made_ms, tries) VALUES (?,?,?,?,0)", sink.name,
            replaces, body, now_ms)
        .exec();
  }

  void drop_oldest(const std::string& sink) {
    const std::int64_t over = prepared_count(sink) - static_cast<std::int64_t>(most_waiting);
    if (over <= 0) return;
    prepare(database_,
            "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE sink = ? ORDER BY id LIMIT ?)", sink,
            over)
        .exec();
    prepare(database_, "UPDATE sinks SET dropped = dropped + ? WHERE name = ?", over, sink).exec();
  }

  std::int64_t prepared_count(const std::string& sink) {
    auto rows = prepare(database_, "SELECT count(*) FROM deliveries WHERE sink = ?", sink);
    rows.executeStep();
    return number(rows, 0);
  }

  template <typename Work>
  auto guarded(Work work) -> decltype(work()) {
    const std::scoped_lock lock(mutex_);
    try {
      return work();
    } catch (const SQLite::Exception& error) {
      throw Error(std::string("the queue of notifications can't be used: ") + error.what());
    }
  }

  template <typename Work>
  void written(Work work) {
    guarded([&] {
      SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
      work();
      transaction.commit();
      return 0;
    });
  }

  std::mutex mutex_;
  SQLite::Database database_;
};

}  // namespace

std::unique_ptr<NotifyQueue> NotifyQueue::open(const std::string& state_file) {
  try {
    return std::make_unique<SqliteNotifyQueue>(state_file);
  } catch (const SQLite::Exception& error) {
    throw Error("the state file \"" + state_file + "\" can't be opened: " + error.what());
  }
}

}  // namespace holdfast
