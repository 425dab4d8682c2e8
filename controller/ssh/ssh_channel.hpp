#pragma once

#include <controller/connection.hpp>
#include <controller/ssh/ssh_session.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

/// How a remote command ended.
struct ExitStatus {
  int code = -1;         // -1 for one that a signal ended
  std::string signal{};  // "KILL"
};

/// One channel of a session: a command that runs on the host, or a TCP connection made from there. Reading pulls from
/// libssh's flow-controlled window, so a host that talks without end costs bounded memory; standard error is taken in
/// on every wait, so that it never stops the command.
class SshChannel : public Stream {
 public:
  /// Starts a command of the login's shell; whether the server took it shows at the first read.
  static std::unique_ptr<SshChannel> run(std::shared_ptr<SshSession> session, const std::string& command,
                                         Deadline deadline);
  static std::unique_ptr<SshChannel> forward(std::shared_ptr<SshSession> session, const std::string& address, int port,
                                             Deadline deadline);
  ~SshChannel() override;

  void write(std::string_view bytes, Deadline deadline) override;
  std::string read(std::size_t max, Deadline deadline) override;
  void close_input() override;
  [[nodiscard]] bool ended() const override;
  [[nodiscard]] std::string errors() const override;

  /// As write, but false where the command no longer reads.
  bool offer(std::string_view bytes, Deadline deadline);
  /// After the end of the output.
  ExitStatus exit_status(Deadline deadline);

  /// There is output to take, or it is known that there will be none.
  [[nodiscard]] bool ready() const;
  std::string take(std::size_t max) override;
  [[nodiscard]] int wake_fd() const override;
  /// How many of the bytes the window takes now.
  std::size_t put(std::string_view bytes);

 private:
  struct State;
  explicit SshChannel(std::shared_ptr<SshSession> session);
  void finish_request();
  void fetch_left_behind();

  std::shared_ptr<SshSession> session_;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast
