#include <controller/ssh/ssh_channel.hpp>

#include <manifests/error.hpp>

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t errors_kept_bytes = 4096;
constexpr std::size_t read_ahead_bytes = 8U << 20U;
constexpr std::uint32_t chunk_bytes = 32'768;

}  // namespace

struct SshChannel::State {
  ssh_channel channel = nullptr;
  ssh_channel_callbacks_struct callbacks{};
  std::string command{};  // asked for, not yet granted
  std::string ahead{};    // output that came while we were writing
  std::string errors{};
  std::optional<ExitStatus> exit{};
  bool input_closed = false;

  static void on_exit_status(ssh_session, ssh_channel, int code, void* self) {
    static_cast<State*>(self)->exit = ExitStatus{.code = code, .signal = ""};
  }
  static void on_exit_signal(ssh_session, ssh_channel, const char* name, int, const char*, const char*, void* self) {
    static_cast<State*>(self)->exit = ExitStatus{.code = -1, .signal = name == nullptr ? "" : name};
  }
};

SshChannel::SshChannel(std::shared_ptr<SshSession> session)
    : session_(std::move(session)), state_(std::make_unique<State>()) {
  state_->channel = ssh_channel_new(session_->handle());
  if (state_->channel == nullptr) throw Error("cannot open a channel: " + session_->reason());
  state_->callbacks.userdata = state_.get();
  state_->callbacks.channel_exit_status_function = &State::on_exit_status;
  state_->callbacks.channel_exit_signal_function = &State::on_exit_signal;
  ssh_callbacks_init(&state_->callbacks);
  ssh_set_channel_callbacks(state_->channel, &state_->callbacks);
}

SshChannel::~SshChannel() {
  ssh_remove_channel_callbacks(state_->channel, &state_->callbacks);
  ssh_channel_close(state_->channel);
  ssh_channel_free(state_->channel);
}

std::unique_ptr<SshChannel> SshChannel::run(std::shared_ptr<SshSession> session, const std::string& command,
                                            Deadline deadline) {
  std::unique_ptr<SshChannel> self(new SshChannel(std::move(session)));
  ssh_channel channel = self->state_->channel;
  self->session_->drive(deadline, "opening a channel", [channel] { return ssh_channel_open_session(channel); });
  self->state_->command = command;
  self->finish_request();
  return self;
}

std::unique_ptr<SshChannel> SshChannel::forward(std::shared_ptr<SshSession> session, const std::string& address,
                                                int port, Deadline deadline) {
  std::unique_ptr<SshChannel> self(new SshChannel(std::move(session)));
  ssh_channel channel = self->state_->channel;
  self->session_->drive(deadline, "the way on", [channel, &address, port] {
    return ssh_channel_open_forward(channel, address.c_str(), port, "127.0.0.1", 0);
  });
  return self;
}

/// The request goes out at once; its answer is looked for on every step, so that it costs no round trip of its own.
void SshChannel::finish_request() {
  if (state_->command.empty()) return;
  const int code = ssh_channel_request_exec(state_->channel, state_->command.c_str());
  if (code == SSH_AGAIN) return;
  state_->command.clear();
  if (code != SSH_OK)
    throw Error("\"" + session_->target().address + "\" refused to run a command: " + session_->reason());
}

void SshChannel::drain() {
  std::array<char, chunk_bytes> buffer{};
  for (;;) {
    const int got = ssh_channel_read_nonblocking(state_->channel, buffer.data(), chunk_bytes, 1);
    if (got <= 0) return;
    state_->errors.append(buffer.data(), static_cast<std::size_t>(got));
    if (state_->errors.size() > errors_kept_bytes) state_->errors.erase(0, state_->errors.size() - errors_kept_bytes);
  }
}

void SshChannel::step(Deadline deadline, const char* what) {
  finish_request();
  session_->wait(deadline, what);
  finish_request();
}

std::string SshChannel::take(std::size_t max) {
  drain();
  if (!state_->ahead.empty()) {
    std::string bytes = state_->ahead.substr(0, max);
    state_->ahead.erase(0, bytes.size());
    return bytes;
  }
  return receive(max);
}

std::string SshChannel::receive(std::size_t max) {
  std::string bytes(std::min<std::size_t>(max, chunk_bytes), '\0');
  const int got =
      ssh_channel_read_nonblocking(state_->channel, bytes.data(), static_cast<std::uint32_t>(bytes.size()), 0);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

std::size_t SshChannel::put(std::string_view bytes) {
  const std::size_t room = std::min<std::size_t>({bytes.size(), chunk_bytes, ssh_channel_window_size(state_->channel)});
  if (room == 0) return 0;
  const int sent = ssh_channel_write(state_->channel, bytes.data(), static_cast<std::uint32_t>(room));
  if (sent < 0 && !ended())
    throw Error("cannot write to \"" + session_->target().address + "\": " + session_->reason());
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

bool SshChannel::ended() const {
  return ssh_channel_is_closed(state_->channel) != 0 || ssh_channel_is_eof(state_->channel) != 0;
}

std::string SshChannel::read(std::size_t max, Deadline deadline) {
  for (;;) {
    std::string bytes = take(max);
    if (!bytes.empty()) return bytes;
    if (ended()) {
      drain();
      return bytes;
    }
    step(deadline, "waiting for an answer");
  }
}

bool SshChannel::offer(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    if (ssh_channel_is_closed(state_->channel) != 0) return false;
    const std::size_t sent = put(bytes);
    bytes.remove_prefix(sent);
    if (sent > 0) {
      session_->flush(deadline);
      continue;
    }
    if (ended()) return false;
    drain();
    if (state_->ahead.size() < read_ahead_bytes) state_->ahead += receive(chunk_bytes);
    step(deadline, "sending");
  }
  return true;
}

void SshChannel::write(std::string_view bytes, Deadline deadline) {
  if (!offer(bytes, deadline))
    throw Error("the program on \"" + session_->target().address + "\" no longer reads: " + errors());
}

void SshChannel::close_input() {
  if (std::exchange(state_->input_closed, true)) return;
  ssh_channel_send_eof(state_->channel);
}

ExitStatus SshChannel::exit_status(Deadline deadline) {
  while (!state_->exit && ssh_channel_is_closed(state_->channel) == 0) {
    drain();
    step(deadline, "waiting for the end of a command");
  }
  drain();
  return state_->exit.value_or(ExitStatus{});
}

std::string SshChannel::errors() const { return state_->errors; }

}  // namespace holdfast
