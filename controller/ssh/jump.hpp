#pragma once

#include <controller/ssh/ssh_session.hpp>

#include <memory>
#include <thread>

namespace holdfast {

/// A way through a jump host: a TCP connection that it makes for us, as a socket. A thread of its own carries the bytes
/// and owns the session to the jump host; it ends when either side closes, at the latest with this object.
class Jump {
 public:
  /// Connects from `session` to `next`; throws Error where the jump host refuses.
  Jump(std::shared_ptr<SshSession> session, const SshTarget& next, Deadline deadline);
  ~Jump();
  Jump(const Jump&) = delete;
  Jump& operator=(const Jump&) = delete;

  /// Our end, once: for the session that goes through.
  Fd take_socket();

 private:
  Fd ours_{};
  Fd stop_{};
  std::thread thread_{};
};

}  // namespace holdfast
