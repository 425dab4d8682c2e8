#pragma once

#include <controller/connection.hpp>

#include <sys/types.h>

#include <string>
#include <vector>

namespace holdfast {

/// A folder below /tmp that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text, unsigned mode = 0600);
/// Runs a program to its end; its output, or a failed requirement.
std::string run_program(const std::vector<std::string>& argv);
/// Makes a key pair without passphrase; the "type base64" of its public half.
std::string make_key(const std::string& path, const std::string& type = "ed25519", int bits = 0);

/// A throw-away OpenSSH server on loopback with keys and accounts of its own, in its own mount namespace: /var/lib,
/// /run and the account files that it sees are not the machine's, and vanish with it. The accounts are root and
/// `deploy`.
class TestSshd {
 public:
  struct Options {
    std::vector<std::string> key_types{"ed25519"};
    std::string config{};  // more lines of sshd_config
    std::string sudoers = "deploy ALL=(root) NOPASSWD: ALL\n";
  };
  explicit TestSshd(const Options& options);
  TestSshd() : TestSshd(Options{}) {}
  ~TestSshd();
  TestSshd(const TestSshd&) = delete;
  TestSshd& operator=(const TestSshd&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// "ssh-ed25519 AAAA…" of one of its keys.
  [[nodiscard]] std::string host_key(const std::string& type = "ed25519") const;
  [[nodiscard]] std::string known_hosts_line(const std::string& type = "ed25519") const;
  /// The key file that both accounts accept.
  [[nodiscard]] std::string identity() const { return folder_.file("id"); }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  /// A path as the server's sessions see it, from outside.
  [[nodiscard]] std::string inside(const std::string& path) const;
  [[nodiscard]] std::string log() const { return read_text(folder_.file("log")); }
  /// The servers of the sessions that are open now.
  [[nodiscard]] std::vector<pid_t> sessions() const;

  /// A host that pins this server's key, and options that know nothing else.
  [[nodiscard]] Host host() const;
  [[nodiscard]] ConnectOptions options(const std::string& runner) const;

 private:
  void write_accounts(const Options& options);
  void write_config(const Options& options);
  void start();

  TemporaryFolder folder_{};
  int port_ = 0;
  pid_t pid_ = -1;
};

/// The process is stopped for as long as the object lives.
class Frozen {
 public:
  explicit Frozen(pid_t pid);
  ~Frozen();

 private:
  pid_t pid_;
};

Deadline in_ms(std::int64_t ms);
/// The text of the Error that `work` throws; "" where it throws none.
template <typename Work>
std::string error_of(Work&& work);

}  // namespace holdfast

#include <manifests/error.hpp>

template <typename Work>
std::string holdfast::error_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
