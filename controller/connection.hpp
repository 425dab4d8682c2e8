#pragma once

#include <manifests/environment.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

using Deadline = std::chrono::steady_clock::time_point;

/// Bytes to and from a process on a host. Used by one thread at a time; closing (or destroying) it ends the process's
/// input. Every call throws Error at its deadline or when the connection is lost.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual void write(std::string_view bytes, Deadline deadline) = 0;
  /// At least one byte, at most `max`; empty at the end of the output.
  virtual std::string read(std::size_t max, Deadline deadline) = 0;
  virtual void close_input() = 0;
  /// True once it is known, without waiting, that nothing more will come: for a stream that lies idle.
  [[nodiscard]] virtual bool ended() const { return false; }
  /// What is there, without waiting; empty for nothing.
  virtual std::string take(std::size_t /*max*/) { return {}; }
  /// Can be read when there is perhaps something to take(); -1 for a stream of which nobody can know.
  [[nodiscard]] virtual int wake_fd() const { return -1; }
  /// The last 4 KiB of its standard error, for messages.
  [[nodiscard]] virtual std::string errors() const = 0;
};

/// A way to a host: an SSH session, or this machine. Used by one thread at a time (libssh's rule).
class Connection {
 public:
  virtual ~Connection() = default;
  /// Starts the host runner with these arguments; puts it there first (once per digest, verified) where it is missing.
  virtual std::unique_ptr<Stream> start_runner(const std::vector<std::string>& arguments, Deadline deadline) = 0;
  /// False once it is known to be lost: throw it away and connect anew.
  [[nodiscard]] virtual bool alive() const = 0;
};

struct ConnectOptions {
  std::string runner{};       // path of the holdfast-host program on this machine
  std::string known_hosts{};  // OpenSSH file; consulted where a host pins no key; empty: ~/.ssh/known_hosts
  std::string identity{};     // default key file; empty: agent, then ~/.ssh/id_ed25519, id_rsa
  bool agent = true;
  std::string controller_id{};    // who we are to hosts (identity.hpp); empty: nobody, and hosts are not claimed
  std::string controller_name{};  // for people: "root@deploy1"
};

/// Connects and authenticates. Throws Error that says what to do: unknown host key (with the line that would pin it),
/// changed host key, no accepted authentication, refused, timed out.
std::unique_ptr<Connection> connect(const Host& host, const ConnectOptions& options, Deadline deadline);

}  // namespace holdfast
