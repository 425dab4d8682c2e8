#include <controller/ssh/runner_stream.hpp>

#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t max_unanswered_bytes = 256U << 10U;
constexpr std::size_t max_preamble_bytes = 64U << 10U;
constexpr std::size_t read_bytes = 64U << 10U;
constexpr std::chrono::seconds ending_wait{5};

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

std::string describe(const ExitStatus& status) {
  if (!status.signal.empty()) return "signal " + printable(status.signal);
  return status.code < 0 ? "no exit status" : "exit status " + std::to_string(status.code);
}

/// The last lines of what a host said, on one line.
std::string tail(const std::string& text) {
  constexpr std::size_t most = 600;
  std::string last = text.size() > most ? text.substr(text.size() - most) : text;
  while (!last.empty() && last.back() == '\n') last.pop_back();
  std::replace(last.begin(), last.end(), '\n', ' ');
  return printable(last);
}

}  // namespace

RunnerStream::RunnerStream(std::shared_ptr<SshSession> session, std::shared_ptr<const RunnerProgram> program,
                           std::shared_ptr<bool> verified, std::vector<std::string> arguments, Deadline deadline)
    : session_(std::move(session)),
      program_(std::move(program)),
      verified_(std::move(verified)),
      arguments_(std::move(arguments)) {
  open(deadline);
}

bool RunnerStream::needs_sudo() const { return session_->target().user != "root"; }

void RunnerStream::open(Deadline deadline) {
  const auto command = *verified_ ? start_again_command : start_command;
  channel_ = SshChannel::run(session_, command(program_->digest, arguments_, needs_sudo()), deadline);
}

void RunnerStream::write(std::string_view bytes, Deadline deadline) {
  if (!begun_ && unanswered_.size() + bytes.size() > max_unanswered_bytes) begin(deadline);
  if (begun_) return channel_->write(bytes, deadline);
  unanswered_ += bytes;
  channel_->offer(bytes, deadline);  // a start that failed is told by the first read
}

std::string RunnerStream::read(std::size_t max, Deadline deadline) {
  begin(deadline);
  if (!output_.empty()) {
    std::string bytes = output_.substr(0, max);
    output_.erase(0, bytes.size());
    return bytes;
  }
  std::string bytes = channel_->read(max, deadline);
  if (bytes.empty() && ending_.empty()) {
    const ExitStatus status = channel_->exit_status(std::min(deadline, Deadline::clock::now() + ending_wait));
    ending_ = describe(status);
    if (status.code == 126) ending_ += ", the program may not be run: is /var mounted noexec?";
  }
  return bytes;
}

std::string RunnerStream::take(std::size_t max) {
  if (!begun_ || !session_->alive()) return {};  // looking takes in what has arrived
  if (output_.empty()) return channel_->take(max);
  std::string bytes = output_.substr(0, max);
  output_.erase(0, bytes.size());
  return bytes;
}

void RunnerStream::close_input() {
  input_closed_ = true;
  channel_->close_input();
}

std::string RunnerStream::errors() const {
  const std::string text = channel_->errors();
  return ending_.empty() || ending_ == "exit status 0" ? text : text + (text.empty() ? "" : "\n") + "(" + ending_ + ")";
}

/// Reads up to the line that says that the runner begins; puts it there when the host lacks it.
void RunnerStream::begin(Deadline deadline) {
  while (!begun_) {
    if (const std::size_t at = output_.find(runner_begins); at != output_.npos) {
      output_.erase(0, at + std::strlen(runner_begins));
      unanswered_ = {};
      begun_ = true;
      *verified_ = true;
      return;
    }
    if (output_.size() > max_preamble_bytes)
      throw Error("the login shell of \"" + session_->target().user + "\" prints without end");
    const std::string bytes = channel_->read(read_bytes, deadline);
    output_ += bytes;
    if (bytes.empty()) begin_again(std::exchange(output_, {}), deadline);
  }
}

void RunnerStream::begin_again(const std::string& said, Deadline deadline) {
  const ExitStatus status = channel_->exit_status(deadline);
  if (std::exchange(*verified_, false)) return start_over(deadline);  // it went away since: as if it never was there
  const std::size_t at = said.find(runner_missing);
  if (status.code != runner_missing_exit || at == said.npos) refuse(said, status);
  const std::size_t begin = at + std::strlen(runner_missing);
  const std::string machine = printable(said.substr(begin, said.find('\n', begin) - begin));
  if (!program_->machine.empty() && machine != program_->machine) {
    throw Error("\"" + session_->target().address + "\" is a machine of type " + machine + ", the host runner \"" +
                program_->path + "\" is for " + program_->machine);
  }
  if (uploaded_)
    throw Error("the host runner that was put on \"" + session_->target().address +
                "\" does not have its digest there");
  upload(deadline);
  uploaded_ = true;
  start_over(deadline);
}

void RunnerStream::start_over(Deadline deadline) {
  open(deadline);
  channel_->offer(unanswered_, deadline);
  if (input_closed_) channel_->close_input();
}

void RunnerStream::upload(Deadline deadline) {
  const auto channel = SshChannel::run(session_, upload_command(program_->digest, needs_sudo()), deadline);
  channel->offer(runner_bytes(*program_), deadline);
  channel->close_input();
  while (!channel->read(read_bytes, deadline).empty()) continue;
  const ExitStatus status = channel->exit_status(deadline);
  if (status.code == 0) return;
  const std::string why =
      status.code == runner_damaged_exit ? "it arrived damaged" : describe(status) + ": " + tail(channel->errors());
  throw Error("cannot put the host runner into /var/lib/holdfast on \"" + session_->target().address + "\": " + why);
}

void RunnerStream::refuse(const std::string& said, const ExitStatus& status) const {
  const SshTarget& target = session_->target();
  const std::string errors = channel_->errors();
  const std::string found = tail(errors.empty() ? said : errors);
  const std::string subject = "cannot start the host runner on \"" + target.address + "\" as \"" + target.user + "\": ";
  if (needs_sudo() && status.code == 127) {
    throw Error(subject + found + "; install sudo there, or log in as root");
  }
  if (needs_sudo() && (has(errors, "sudo") || has(said, "sudo"))) {
    throw Error(subject + "sudo asks for more than the login: " + found +
                "; put this line into /etc/sudoers.d/holdfast there: " + target.user + " ALL=(root) NOPASSWD: ALL");
  }
  throw Error(subject + "the login's shell ended with " + describe(status) + ": " + found);
}

}  // namespace holdfast
