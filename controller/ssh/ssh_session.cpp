#include <controller/ssh/ssh_session.hpp>

#include <controller/ssh/authentication.hpp>
#include <controller/ssh/host_key.hpp>
#include <controller/ssh/socket.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <libssh/libssh.h>
#include <pwd.h>

#include <algorithm>
#include <cstdlib>

namespace holdfast {

namespace {

// No SHA-1, and curve25519 first: libssh 0.10 has nothing for the time after quantum computers.
constexpr const char* key_exchanges =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
    "diffie-hellman-group18-sha512,diffie-hellman-group16-sha512,diffie-hellman-group14-sha256";
constexpr int min_rsa_bits = 2048;
constexpr int oldest_libssh =
    SSH_VERSION_INT(0, 10, 6);  // what came before can be tricked in the key exchange (Terrapin)

template <typename T>
void set(ssh_session session, ssh_options_e option, const T* value) {
  if (ssh_options_set(session, option, value) < 0) {
    throw Error(std::string("cannot set up the SSH session: ") + ssh_get_error(session));
  }
}

void set_number(ssh_session session, ssh_options_e option, int value) { set(session, option, &value); }

/// For the calls that block: no single one of them outlives the deadline.
void set_timeout(ssh_session session, Deadline deadline) {
  const long left_ms = std::max(1, remaining_ms(deadline));
  const long seconds = left_ms / 1000;
  const long rest_us = left_ms % 1000 * 1000;
  set(session, SSH_OPTIONS_TIMEOUT, &seconds);
  set(session, SSH_OPTIONS_TIMEOUT_USEC, &rest_us);
}

void set_options(ssh_session session, const SshTarget& target, const std::string& known_hosts) {
  set_number(session, SSH_OPTIONS_PROCESS_CONFIG, 0);
  set(session, SSH_OPTIONS_HOST, target.address.c_str());
  set(session, SSH_OPTIONS_USER, target.user.c_str());
  set_number(session, SSH_OPTIONS_PORT, target.port);
  set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
  set(session, SSH_OPTIONS_KNOWNHOSTS, target.host_keys.empty() ? known_hosts.c_str() : "/dev/null");
  set(session, SSH_OPTIONS_KEY_EXCHANGE, key_exchanges);
  set_number(session, SSH_OPTIONS_RSA_MIN_SIZE, min_rsa_bits);
  set_number(session, SSH_OPTIONS_NODELAY, 1);
  set_number(session, SSH_OPTIONS_PASSWORD_AUTH, 0);
  set_number(session, SSH_OPTIONS_KBDINT_AUTH, 0);
  set_number(session, SSH_OPTIONS_GSSAPI_AUTH, 0);
  if (!target.host_keys.empty()) set(session, SSH_OPTIONS_HOSTKEYS, pinned_algorithms(target.host_keys).c_str());
}

std::string connect_failure(const SshTarget& target, const std::string& reason, bool timed_out) {
  const std::string subject =
      "no SSH session with \"" + target.address + "\" port " + std::to_string(target.port) + ": ";
  if (timed_out) return subject + "timed out: it accepted the connection but did not answer";
  if (reason.find("host key algo") != reason.npos && !target.host_keys.empty()) {
    return subject + "it has no host key of a pinned type (" + pinned_algorithms(target.host_keys) +
           "): pin one of the keys that it has, after comparing it on the host's console";
  }
  return subject + reason;
}

}  // namespace

std::string ssh_folder_file(const std::string& name) {
  const char* home = std::getenv("HOME");
  std::string folder = home == nullptr ? "" : home;
  if (folder.empty()) {
    passwd entry{};
    passwd* found = nullptr;
    char buffer[4096];
    if (getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) folder = found->pw_dir;
  }
  return folder + "/.ssh/" + name;
}

SshSession::SshSession(const SshTarget& target, const ConnectOptions& options, Fd socket, Deadline deadline)
    : target_(target), session_(ssh_new()) {
  if (session_ == nullptr) throw Error("cannot set up the SSH session: out of memory");
  if (ssh_version(oldest_libssh) == nullptr) throw Error("libssh 0.10.6 or newer is needed, found an older one");
  try {
    start(options, std::move(socket), deadline);
  } catch (const Error&) {
    ssh_free(session_);
    throw;
  }
}

void SshSession::start(const ConnectOptions& options, Fd socket, Deadline deadline) {
  const std::string known_hosts = options.known_hosts.empty() ? ssh_folder_file("known_hosts") : options.known_hosts;
  set_options(session_, target_, known_hosts);
  set_timeout(session_, deadline);
  Watchdog watchdog(deadline);
  watchdog.guard(socket.get());
  const int fd = socket.get();
  set(session_, SSH_OPTIONS_FD, &fd);
  const int connected = ssh_connect(session_);
  if (ssh_get_fd(session_) == fd) socket.release();  // libssh closes it from here on
  if (connected != SSH_OK) throw Error(connect_failure(target_, reason(), remaining_ms(deadline) == 0));
  check_host_key(session_, target_, known_hosts);
  set_timeout(session_, deadline);
  authenticate(session_, target_, options, watchdog);
  ssh_set_blocking(session_, 0);
  event_ = ssh_event_new();
  if (event_ == nullptr || ssh_event_add_session(event_, session_) != SSH_OK) {
    throw Error("cannot set up the SSH session: out of memory");
  }
}

SshSession::~SshSession() {
  if (event_ != nullptr) {
    ssh_event_remove_session(event_, session_);
    ssh_event_free(event_);
  }
  ssh_silent_disconnect(session_);  // ssh_disconnect leaves a socket open that was given to it
  ssh_free(session_);
}

int SshSession::fd() const { return ssh_get_fd(session_); }

std::string SshSession::reason() const {
  const std::string text = ssh_get_error(session_);
  return text.empty() ? "the connection was closed" : printable(text);
}

bool SshSession::alive() {
  if (!ssh_is_connected(session_)) return false;
  return ssh_event_dopoll(event_, 0) != SSH_ERROR && ssh_is_connected(session_) != 0;
}

void SshSession::wait(Deadline deadline, const char* what) {
  const int left_ms = remaining_ms(deadline);
  if (left_ms == 0) throw Error("timed out " + std::string(what) + " on \"" + target_.address + "\"");
  acknowledge_at_once(fd());
  if (ssh_event_dopoll(event_, left_ms) == SSH_ERROR || !ssh_is_connected(session_)) {
    throw Error("the connection to \"" + target_.address + "\" was lost while " + what + ": " + reason());
  }
}

bool SshSession::sends() const { return ssh_blocking_flush(session_, 0) == SSH_AGAIN; }

void SshSession::flush(Deadline deadline) {
  // The library's own count of what waits; its poll flags may still tell of a write long after it was done.
  while (sends()) {
    const int left_ms = remaining_ms(deadline);
    if (left_ms == 0) throw Error("timed out sending to \"" + target_.address + "\"");
    if (ssh_blocking_flush(session_, left_ms) == SSH_ERROR || !ssh_is_connected(session_)) {
      throw Error("the connection to \"" + target_.address + "\" was lost while sending: " + reason());
    }
  }
}

void SshSession::drive(Deadline deadline, const char* what, const std::function<int()>& call) {
  for (;;) {
    const int code = call();
    if (code == SSH_OK) return;
    if (code != SSH_AGAIN) throw Error("\"" + target_.address + "\" refused " + what + ": " + reason());
    wait(deadline, what);
  }
}

}  // namespace holdfast
