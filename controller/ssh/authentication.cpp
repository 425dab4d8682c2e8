#include <controller/ssh/authentication.hpp>

#include <controller/ssh/ssh_session.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <libssh/libssh.h>
#include <sys/stat.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace holdfast {

namespace {

struct FreeKey {
  void operator()(ssh_key key) const { ssh_key_free(key); }
};
using Key = std::unique_ptr<ssh_key_struct, FreeKey>;

/// One way to log in after the other, with what became of each for the error.
class Attempts {
 public:
  Attempts(ssh_session session, Watchdog& watchdog) : session_(session), watchdog_(watchdog) {}

  bool file(const std::string& path) {
    Key key;
    if (!load(path, key)) return false;
    return judge("key file \"" + path + "\"", ssh_userauth_publickey(session_, nullptr, key.get()));
  }

  bool agent() {
    const char* path = std::getenv("SSH_AUTH_SOCK");
    if (path == nullptr || *path == '\0') return note("agent", "SSH_AUTH_SOCK is not set");
    try {
      Fd socket = connect_unix(path);
      watchdog_.guard(socket.get());
      ssh_set_agent_socket(session_, socket.release());
    } catch (const Error& error) {
      return note("agent", error.what());
    }
    return judge("agent", ssh_userauth_agent(session_, nullptr));
  }

  [[nodiscard]] const std::string& told() const { return told_; }

 private:
  bool load(const std::string& path, Key& key) {
    const std::string subject = "key file \"" + path + "\"";
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return note(subject, "not there, or not readable");
    if ((info.st_mode & 077U) != 0) return note(subject, "others may read it: chmod 600 it");
    ssh_key raw = nullptr;
    const int code = ssh_pki_import_privkey_file(path.c_str(), nullptr, &no_passphrase, nullptr, &raw);
    key.reset(raw);
    if (code == SSH_OK) return true;
    return note(subject, "cannot be used without a passphrase, or is no private key: add it to an agent");
  }

  /// A daemon has nobody to ask.
  static int no_passphrase(const char*, char*, std::size_t, int, int, void*) { return -1; }

  bool judge(const std::string& subject, int code) {
    if (watchdog_.fired()) throw Error("timed out logging in with the " + subject);
    if (!ssh_is_connected(session_)) {
      throw Error("the connection was lost while logging in with the " + subject + ": " +
                  printable(ssh_get_error(session_)));
    }
    if (code == SSH_AUTH_SUCCESS) return true;
    if (code == SSH_AUTH_PARTIAL) return note(subject, "accepted, but the server wants a second factor as well");
    return note(subject, code == SSH_AUTH_DENIED ? "refused" : printable(ssh_get_error(session_)));
  }

  bool note(const std::string& subject, const std::string& what) {
    told_ += (told_.empty() ? "" : "; ") + subject + ": " + what;
    return false;
  }

  ssh_session session_;
  Watchdog& watchdog_;
  std::string told_{};
};

bool log_in(Attempts& attempts, const SshTarget& target, const ConnectOptions& options) {
  const std::string& identity = target.identity.empty() ? options.identity : target.identity;
  if (!identity.empty()) return attempts.file(identity) || (options.agent && attempts.agent());
  if (options.agent && attempts.agent()) return true;
  for (const char* name : {"id_ed25519", "id_rsa"}) {
    if (attempts.file(ssh_folder_file(name))) return true;
  }
  return false;
}

}  // namespace

void authenticate(ssh_session_struct* session, const SshTarget& target, const ConnectOptions& options,
                  Watchdog& watchdog) {
  Attempts attempts(session, watchdog);
  if (log_in(attempts, target, options)) return;
  throw Error("cannot log in as \"" + target.user + "\" on \"" + target.address + "\": " + attempts.told() +
              "; put the public key of one of these into the authorized_keys of that login");
}

}  // namespace holdfast
