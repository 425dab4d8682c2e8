#pragma once

#include <controller/ssh/listener.hpp>
#include <controller/ssh/runner_client.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {

/// Runners of many hosts: one kept session per host between ticks, and a bound on how many connections are begun at
/// once: logging in costs both sides work. One that takes long waits for its host and costs none, so it stops counting,
/// and dead hosts keep nobody from a connection. Every method may be called by any thread; a client belongs to one
/// thread while it is lent.
class SessionPool {
 public:
  /// Makes a client; a function, so that tests can count and refuse.
  using Connect = std::function<std::unique_ptr<RunnerClient>(const Host&, Deadline)>;
  struct Limits {
    int connecting = 16;  // at once; a server's MaxStartups is 10 by default, but each is another one
    std::chrono::milliseconds patience{1000};  // how long one that is being made counts as one of those
    std::chrono::seconds idle{900};            // a session that nobody used for this long is closed
    std::chrono::seconds age{6 * 3600};        // a session this old is closed, so that keys and hosts that went lose it
  };

  SessionPool(Connect connect, const Limits& limits);
  /// Connects as connect() does.
  explicit SessionPool(const ConnectOptions& options);
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;
  ~SessionPool();

  /// A borrowed client: goes back to the pool at the end, unless it was lost or discarded.
  class Lease {
   public:
    Lease(SessionPool& pool, std::string key, std::unique_ptr<RunnerClient> client, Deadline born, bool kept);
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    RunnerClient& operator*() const { return *client_; }
    RunnerClient* operator->() const { return client_.get(); }
    /// True for a session that was there before: it may turn out to be dead at its first use.
    [[nodiscard]] bool kept() const { return kept_; }
    /// The session is closed at the end, whatever it says of itself.
    void discard() { discarded_ = true; }

   private:
    SessionPool* pool_;
    std::string key_;
    std::unique_ptr<RunnerClient> client_;
    Deadline born_;
    bool kept_;
    bool discarded_ = false;
  };

  /// The host's kept session where it is there and alive, else a new connection.
  Lease checkout(const Host& host, Deadline deadline);
  /// Always a new connection, for confirmation; never kept.
  std::unique_ptr<RunnerClient> fresh(const Host& host, Deadline deadline);

  /// Runs `work(client)`, once more over a new connection when a kept session turned out to be dead. Only for work that
  /// may be repeated (plan, status, samples), never for apply or rollback.
  template <typename Work>
  auto ask(const Host& host, Deadline deadline, Work&& work) {
    {
      Lease lease = checkout(host, deadline);
      if (!lease.kept()) return work(*lease);
      try {
        return work(*lease);
      } catch (const std::exception&) {
        if (lease->alive()) throw;
      }
    }
    Lease lease = open(host, deadline);
    return work(*lease);
  }

  /// What a host said unasked over its kept session: which one, and what it knows of the change.
  using OnChanged = std::function<void(const std::string& host, const Value& what)>;
  /// From now on, until `on_changed` is destroyed with the pool or replaced by stop_listening(), tells it of every host
  /// that says that something changed on it. It is called by one thread, or by whoever gives a session back.
  void listen(OnChanged on_changed);
  void stop_listening();

  /// Closes what is dead, idle for too long or too old. Call it on every tick; TCP keepalive finds the dead ones
  /// meanwhile.
  void sweep();
  /// Closes the kept session of a host: its keys, its user or its rights changed.
  void forget(const Host& host);
  [[nodiscard]] std::size_t kept() const;

 private:
  struct Kept {
    std::string host{};
    std::unique_ptr<RunnerClient> client{};
    Deadline born{};
    Deadline used{};
  };
  Lease open(const Host& host, Deadline deadline);
  void give_back(const std::string& key, std::unique_ptr<RunnerClient> client, Deadline born);
  struct Said {
    std::string host{};
    Value what{};
  };
  void hear_all(const std::stop_token& stop);
  /// With the mutex held: takes in what one said; a session that is over goes into `gone`.
  void hear(const std::string& key, std::vector<Said>& said, std::vector<Kept>& gone);
  void tell(const std::vector<Said>& said);
  /// With the mutex held: out of the map, and no longer listened to.
  Kept take_out(const std::string& key);
  std::multiset<Deadline>::iterator take_turn(const Host& host, Deadline deadline);
  [[nodiscard]] bool stale(const Kept& session, Deadline now) const;

  Connect connect_;
  Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::multiset<Deadline> connecting_;  // when each of those that are being made was begun
  std::map<std::string, Kept> sessions_;
  Listener listener_{};
  std::map<std::string, Deadline> calm_{};  // sessions that are not listened to until then: they just said something
  std::mutex telling_;
  OnChanged on_changed_{};
  std::jthread thread_{};  // last: it uses all of the above
};

}  // namespace holdfast
