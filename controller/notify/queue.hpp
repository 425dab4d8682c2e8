#pragma once

#include <controller/notify/notification.hpp>
#include <controller/notify/settings.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace holdfast {

/// A deployment that ended and was not told yet: the store writes it with the outcome, in one transaction.
struct Ended {
  std::int64_t id = 0;  // of this entry
  std::int64_t deployment = 0;
  std::int64_t at_ms = 0;
};

/// What an environment's hosts are to be at, and which hosts those are; written by every poll that finds another.
struct RolloutRecord {
  std::string environment{};
  std::string commit{};
  std::string subject{};
  std::string author{};
  std::vector<std::string> hosts{};
  std::int64_t since_ms = 0;
};

/// What was told last of something that lasts, so that it is told once: (environment, host or "", what).
using ToldKey = std::tuple<std::string, std::string, std::string>;
struct Told {
  std::string key{};  // of that state, such as a commit; empty: all was well
  std::int64_t at_ms = 0;
};
using ToldMap = std::map<ToldKey, Told>;

/// What one look at the state found to tell.
struct News {
  std::vector<Notification> notes{};
  std::vector<std::int64_t> taken{};  // ids of Ended that are done with
  ToldMap told{};                     // what is now told
};

/// A notification that waits for one sink.
struct Delivery {
  std::int64_t id = 0;
  std::string sink{};
  Notification note{};
  std::int64_t made_ms = 0;
  int tries = 0;
};

/// How a sink stands.
struct SinkRecord {
  std::string name{};
  std::int64_t failing_since_ms = 0;  // 0: the last try went well, or there was none
  std::string why{};                  // it fails; printable
  std::int64_t waiting = 0;           // notifications that are not delivered yet
  std::int64_t dropped = 0;           // of which nobody was told yet
  std::int64_t delivered_ms = 0;      // when it took one last; 0: never
};

/// The part of the state file that is about telling people: a connection of its own, so that neither the store's nor
/// this one's callers wait for each other beyond a write. Thread-safe. Every method throws Error when the file can't be
/// used.
class NotifyQueue {
 public:
  static constexpr std::size_t most_waiting = 10'000;  // for each sink; the oldest go first

  /// The state file must be there: Store::open() makes it.
  static std::unique_ptr<NotifyQueue> open(const std::string& state_file);
  virtual ~NotifyQueue() = default;

  /// The sinks that there are from now on; what waits for others is forgotten. With the first ones, and with none, so
  /// is all that happened before.
  virtual void use_sinks(const std::vector<std::string>& names) = 0;

  virtual std::vector<Ended> ended(int most) = 0;
  virtual std::vector<RolloutRecord> rollouts() = 0;
  virtual ToldMap told() = 0;
  /// Another number whenever somebody else wrote to the state file.
  virtual std::int64_t data_version() = 0;
  /// Puts what is new into the queue of each sink that wants it, and remembers that it was told, in one transaction. A
  /// newer commit status takes the place of one that still waits.
  virtual void put(const News& news, const std::vector<SinkSettings>& sinks, std::int64_t now_ms) = 0;

  /// The oldest that waits for this sink.
  virtual std::optional<Delivery> next(const std::string& sink) = 0;
  virtual void delivered(const Delivery& one, std::int64_t now_ms) = 0;
  /// It stays first in its queue.
  virtual void failed(const Delivery& one, const std::string& why, std::int64_t now_ms) = 0;
  /// It is taken out undelivered.
  virtual void give_up(const Delivery& one) = 0;
  /// How many were dropped for want of room; the sink was told.
  virtual void told_of_dropped(const std::string& sink, std::int64_t count) = 0;
  virtual std::vector<SinkRecord> sinks() = 0;
};

}  // namespace holdfast
