#pragma once

#include <controller/git/fetch_request.hpp>
#include <controller/git/known_hosts.hpp>
#include <controller/git/libgit.hpp>
#include <controller/git/url.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// Answers what a remote asks of us while it is connected to: who we are, and whether it is the one we mean; and stops
/// it when it sends too much. The library's callbacks return numbers, so the reason for a refusal is kept in `problem`.
class RemoteGuard {
 public:
  /// `home` is the user's own home folder, for the default key and known_hosts. Throws Error where a configured key or
  /// file can't be used.
  RemoteGuard(const FetchRequest& request, const RemoteUrl& url, const std::string& home);

  /// A known_hosts text with this host's acceptable keys only: libgit2 takes from it which kind of key to ask for.
  [[nodiscard]] std::string preferred_keys() const;
  /// Sets the callbacks; this object must outlive the connection.
  void install(git_remote_callbacks& callbacks);
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  struct Attempt {
    std::string identity{};  // empty: the agent
    std::string name{};      // for people
  };

  static int on_credentials(git_credential** out, const char* url, const char* user, unsigned allowed, void* payload);
  static int on_progress(const git_indexer_progress* progress, void* payload);
  static int on_certificate(git_cert* certificate, int valid, const char* host, void* payload);
  int credentials(git_credential** out, const std::string& url, unsigned allowed);
  int ssh_key(git_credential** out);
  int token(git_credential** out, const std::string& url);
  int check_host_key(const git_cert_hostkey& certificate);
  int refuse(int code, const std::string& problem);
  void plan_ssh(const std::string& home);

  Remote remote_;
  std::uint64_t max_bytes_;
  std::uint32_t max_objects_;
  RemoteUrl url_;
  KnownKeys keys_;
  std::string known_hosts_path_;
  std::vector<Attempt> attempts_;
  std::size_t next_ = 0;
  bool token_sent_ = false;
  std::string problem_;
};

}  // namespace holdfast
