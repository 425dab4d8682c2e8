#pragma once

#include <controller/ssh/runner_program.hpp>
#include <controller/ssh/ssh_channel.hpp>

#include <memory>
#include <string>
#include <vector>

namespace holdfast {

/// A runner on a host as a stream. It is started without asking whether the host has it: what is written goes with the
/// start, so that the common case costs one round trip. Where the host says that it lacks the program (or has a damaged
/// one), it is uploaded once and what was written is sent again.
class RunnerStream : public Stream {
 public:
  /// `verified` belongs to the session: set once the program has begun on it, and then it is started without verifying
  /// it once more.
  RunnerStream(std::shared_ptr<SshSession> session, std::shared_ptr<const RunnerProgram> program,
               std::shared_ptr<bool> verified, std::vector<std::string> arguments, Deadline deadline);

  void write(std::string_view bytes, Deadline deadline) override;
  std::string read(std::size_t max, Deadline deadline) override;
  void close_input() override;
  [[nodiscard]] bool ended() const override { return begun_ && channel_->ended(); }
  [[nodiscard]] std::string errors() const override;
  std::string take(std::size_t max) override;
  [[nodiscard]] int wake_fd() const override { return session_->fd(); }

 private:
  [[nodiscard]] bool needs_sudo() const;
  void open(Deadline deadline);
  void begin(Deadline deadline);
  void begin_again(const std::string& said, Deadline deadline);
  void upload(Deadline deadline);
  void start_over(Deadline deadline);
  [[noreturn]] void refuse(const std::string& said, const ExitStatus& status) const;

  std::shared_ptr<SshSession> session_;
  std::shared_ptr<const RunnerProgram> program_;
  std::shared_ptr<bool> verified_;
  std::vector<std::string> arguments_;
  std::unique_ptr<SshChannel> channel_;
  std::string unanswered_{};  // written before the runner was known to run
  std::string output_{};      // before that line: what a login shell prints; after it: the runner's
  std::string ending_{};      // how it ended, for errors()
  bool begun_ = false;
  bool uploaded_ = false;
  bool input_closed_ = false;
};

}  // namespace holdfast
