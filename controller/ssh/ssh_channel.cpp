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
constexpr std::size_t output_kept_bytes = 4U << 20U;
constexpr std::uint32_t chunk_bytes = 32'768;

}  // namespace

/// What the library tells us while it handles packets, which nearly every call of it may do: so nothing is looked for
/// in its own buffers, where it could have arrived right before a wait.
struct SshChannel::State {
  ssh_channel channel = nullptr;
  ssh_channel_callbacks_struct callbacks{};
  std::string command{};  // asked for, not yet granted
  std::string output{};
  std::string errors{};
  std::optional<ExitStatus> exit{};
  bool left_behind = false;  // the library holds output that we had no room for; its window stays shut meanwhile
  bool output_ended = false;
  bool closed = false;
  bool input_closed = false;

  static int on_data(ssh_session, ssh_channel, void* bytes, std::uint32_t size, int is_errors, void* self) {
    return static_cast<State*>(self)->take_data(static_cast<const char*>(bytes), size, is_errors != 0);
  }
  static void on_eof(ssh_session, ssh_channel, void* self) { static_cast<State*>(self)->output_ended = true; }
  static void on_close(ssh_session, ssh_channel, void* self) { static_cast<State*>(self)->closed = true; }
  static void on_exit_status(ssh_session, ssh_channel, int code, void* self) {
    static_cast<State*>(self)->exit = ExitStatus{.code = code, .signal = ""};
  }
  static void on_exit_signal(ssh_session, ssh_channel, const char* name, int, const char*, const char*, void* self) {
    static_cast<State*>(self)->exit = ExitStatus{.code = -1, .signal = name == nullptr ? "" : name};
  }

  int take_data(const char* bytes, std::size_t size, bool is_errors) {
    if (is_errors) {
      errors.append(bytes, size);
      if (errors.size() > errors_kept_bytes) errors.erase(0, errors.size() - errors_kept_bytes);
      return static_cast<int>(size);
    }
    const std::size_t taken = std::min(size, output_kept_bytes - std::min(output_kept_bytes, output.size()));
    output.append(bytes, taken);
    left_behind = taken < size;
    return static_cast<int>(taken);
  }
};

SshChannel::SshChannel(std::shared_ptr<SshSession> session)
    : session_(std::move(session)), state_(std::make_unique<State>()) {
  state_->channel = ssh_channel_new(session_->handle());
  if (state_->channel == nullptr) throw Error("cannot open a channel: " + session_->reason());
  ssh_channel_callbacks_struct& callbacks = state_->callbacks;
  callbacks.userdata = state_.get();
  callbacks.channel_data_function = &State::on_data;
  callbacks.channel_eof_function = &State::on_eof;
  callbacks.channel_close_function = &State::on_close;
  callbacks.channel_exit_status_function = &State::on_exit_status;
  callbacks.channel_exit_signal_function = &State::on_exit_signal;
  ssh_callbacks_init(&callbacks);
  ssh_set_channel_callbacks(state_->channel, &callbacks);
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

/// The request goes out at once; its answer is looked for before every wait, so that it costs no round trip of its own.
void SshChannel::finish_request() {
  if (state_->command.empty()) return;
  const int code = ssh_channel_request_exec(state_->channel, state_->command.c_str());
  if (code == SSH_AGAIN) return;
  state_->command.clear();
  if (code != SSH_OK) {
    throw Error("\"" + session_->target().address + "\" refused to run a command: " + session_->reason());
  }
}

void SshChannel::fetch_left_behind() {
  std::array<char, chunk_bytes> buffer{};
  while (state_->left_behind && state_->output.size() < output_kept_bytes) {
    state_->left_behind = false;  // unless the library finds again that there is no room, while it reads
    const int got = ssh_channel_read_nonblocking(state_->channel, buffer.data(), chunk_bytes, 0);
    if (got <= 0) return;
    state_->output.append(buffer.data(), static_cast<std::size_t>(got));
    state_->left_behind = true;
  }
}

bool SshChannel::ready() const { return !state_->output.empty() || state_->left_behind || ended(); }

bool SshChannel::ended() const {
  return state_->output.empty() && !state_->left_behind && (state_->output_ended || state_->closed);
}

std::string SshChannel::take(std::size_t max) {
  fetch_left_behind();
  if (state_->output.size() <= max) return std::exchange(state_->output, {});
  std::string bytes = state_->output.substr(0, max);
  state_->output.erase(0, max);
  return bytes;
}

int SshChannel::wake_fd() const { return session_->fd(); }

std::size_t SshChannel::put(std::string_view bytes) {
  const std::size_t room = std::min<std::size_t>({bytes.size(), chunk_bytes, ssh_channel_window_size(state_->channel)});
  if (room == 0 || state_->closed) return 0;
  const int sent = ssh_channel_write(state_->channel, bytes.data(), static_cast<std::uint32_t>(room));
  if (sent < 0 && !state_->closed) {
    throw Error("cannot write to \"" + session_->target().address + "\": " + session_->reason());
  }
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

std::string SshChannel::read(std::size_t max, Deadline deadline) {
  for (;;) {
    finish_request();
    std::string bytes = take(max);
    if (!bytes.empty() || ended()) return bytes;
    session_->wait(deadline, "waiting for an answer");
  }
}

bool SshChannel::offer(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    finish_request();
    if (state_->closed) return false;
    const std::size_t sent = put(bytes);
    bytes.remove_prefix(sent);
    if (sent > 0) {
      session_->flush(deadline);
    } else if (!state_->closed) {
      session_->wait(deadline, "sending");
    }
  }
  return true;
}

void SshChannel::write(std::string_view bytes, Deadline deadline) {
  if (!offer(bytes, deadline)) {
    throw Error("the program on \"" + session_->target().address + "\" no longer reads: " + errors());
  }
}

void SshChannel::close_input() {
  if (!std::exchange(state_->input_closed, true)) ssh_channel_send_eof(state_->channel);
}

ExitStatus SshChannel::exit_status(Deadline deadline) {
  while (!state_->exit && !state_->closed) session_->wait(deadline, "waiting for the end of a command");
  return state_->exit.value_or(ExitStatus{});
}

std::string SshChannel::errors() const { return state_->errors; }

}  // namespace holdfast
