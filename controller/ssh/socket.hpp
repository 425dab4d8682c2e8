#pragma once

#include <controller/connection.hpp>
#include <reconcilers/fd.hpp>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {

/// Milliseconds to the deadline, rounded up; 0 once it has passed.
int remaining_ms(Deadline deadline);

/// A connected TCP socket without delay and with keepalive: a peer that is gone is noticed within 20 s (5 s x 3), also
/// when unacknowledged data is under way. Throws Error when no address answers before the deadline.
Fd connect_tcp(const std::string& address, int port, Deadline deadline);

/// Acknowledges what arrives next right away. sshd sends small messages after each other, and its kernel holds the
/// second back until the first is acknowledged: 40 ms where nobody says anything. The kernel forgets it soon: say it
/// before every wait. Nothing happens on a socket that is not TCP.
void acknowledge_at_once(int fd);

/// A connected unix socket, for the SSH agent. Throws Error where nobody listens.
Fd connect_unix(const std::string& path);

/// Shuts sockets down at a deadline, so that a library call which blocks on them ends then and not later.
class Watchdog {
 public:
  explicit Watchdog(Deadline deadline);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Watches a duplicate of the descriptor: its owner may close it at any time.
  void guard(int fd);
  [[nodiscard]] bool fired() const;

 private:
  void run(Deadline deadline);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  bool fired_ = false;
  std::vector<Fd> guarded_;
  std::thread thread_;
};

}  // namespace holdfast
