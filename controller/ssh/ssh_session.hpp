#pragma once

#include <controller/connection.hpp>
#include <controller/ssh/ssh_target.hpp>
#include <reconcilers/fd.hpp>

#include <functional>
#include <memory>
#include <string>

struct ssh_session_struct;
struct ssh_event_struct;

namespace holdfast {

/// One authenticated SSH session over a connected socket. Nothing here blocks past a deadline; used by one thread at a
/// time. Host key before authentication, keys only, no forwarding of anything.
class SshSession {
 public:
  /// Throws Error: host key unknown or changed, no accepted key, timed out.
  SshSession(const SshTarget& target, const ConnectOptions& options, Fd socket, Deadline deadline);
  ~SshSession();
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;

  [[nodiscard]] ssh_session_struct* handle() const { return session_; }
  [[nodiscard]] const SshTarget& target() const { return target_; }
  /// The session's socket, for a poll together with other descriptors.
  [[nodiscard]] int fd() const;
  /// True while something that was written waits for the network.
  [[nodiscard]] bool sends() const;
  /// Sees what has arrived; false once the session is lost.
  [[nodiscard]] bool alive();

  /// Sends and receives until something happened; throws Error at the deadline and when the session is lost.
  void wait(Deadline deadline, const char* what);
  /// Waits until everything that was written has left for the network.
  void flush(Deadline deadline);
  /// Repeats a libssh call until it is done; throws Error with the server's reason when it fails.
  void drive(Deadline deadline, const char* what, const std::function<int()>& call);
  [[nodiscard]] std::string reason() const;

 private:
  void start(const ConnectOptions& options, Fd socket, Deadline deadline);

  SshTarget target_;
  ssh_session_struct* session_ = nullptr;
  ssh_event_struct* event_ = nullptr;
};

/// Path of a file in the user's `.ssh` folder.
std::string ssh_folder_file(const std::string& name);

}  // namespace holdfast
