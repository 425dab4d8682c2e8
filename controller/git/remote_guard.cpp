#include <controller/git/remote_guard.hpp>

#include <controller/git/small_file.hpp>
#include <controller/git/ssh_identity.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace holdfast {

namespace {

constexpr std::size_t max_known_hosts_bytes = 8U << 20U;
constexpr std::size_t max_token_bytes = 4U << 10U;

std::string login_name() {
  const passwd* entry = getpwuid(geteuid());
  return entry == nullptr ? "root" : entry->pw_name;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

std::string key_type(git_cert_ssh_raw_type_t type) {
  switch (type) {
    case GIT_CERT_SSH_RAW_TYPE_RSA:
      return "ssh-rsa";
    case GIT_CERT_SSH_RAW_TYPE_DSS:
      return "ssh-dss";
    case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_256:
      return "ecdsa-sha2-nistp256";
    case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_384:
      return "ecdsa-sha2-nistp384";
    case GIT_CERT_SSH_RAW_TYPE_KEY_ECDSA_521:
      return "ecdsa-sha2-nistp521";
    case GIT_CERT_SSH_RAW_TYPE_KEY_ED25519:
      return "ssh-ed25519";
    default:
      return "unknown";
  }
}

/// libssh2 asks for SHA-1 signatures of RSA keys only, which servers no longer give.
bool is_usable(const HostKey& key) { return key.type == "ssh-ed25519" || key.type.compare(0, 11, "ecdsa-sha2-") == 0; }

}  // namespace

RemoteGuard::RemoteGuard(const FetchRequest& request, const RemoteUrl& url, const std::string& home)
    : remote_(request.remote), max_bytes_(request.max_bytes), max_objects_(request.max_objects), url_(url) {
  if (url_.transport == Transport::ssh) plan_ssh(home);
}

void RemoteGuard::plan_ssh(const std::string& home) {
  if (url_.user.empty()) url_.user = login_name();
  known_hosts_path_ = remote_.known_hosts.empty() ? home + "/.ssh/known_hosts" : remote_.known_hosts;
  if (!remote_.host_key.empty()) {
    keys_.accepted.push_back(host_key_from(remote_.host_key));
  } else if (const auto text = read_small_file(known_hosts_path_, max_known_hosts_bytes)) {
    keys_ = known_keys(*text, url_.host, url_.port);
  }
  if (!keys_.accepted.empty() && std::none_of(keys_.accepted.begin(), keys_.accepted.end(), is_usable)) {
    throw Error("only a key of type \"" + keys_.accepted.front().type + "\" is known for host \"" + url_.host +
                "\", expected its ed25519 or ecdsa key; add it with: ssh-keyscan -t ed25519 -p " +
                std::to_string(url_.port) + " " + url_.host);
  }
  if (!remote_.identity.empty()) {
    const std::string refused = refuse_identity(remote_.identity);
    if (!refused.empty()) throw Error(refused);
    attempts_ = {{remote_.identity, "the key \"" + remote_.identity + "\""}};
    return;
  }
  if (std::getenv("SSH_AUTH_SOCK") != nullptr) attempts_.push_back({"", "the agent's keys"});
  const std::string own_key = home + "/.ssh/id_ed25519";
  if (refuse_identity(own_key).empty()) attempts_.push_back({own_key, "the key \"" + own_key + "\""});
}

std::string RemoteGuard::preferred_keys() const {
  const std::string name = url_.port == 22 ? url_.host : "[" + url_.host + "]:" + std::to_string(url_.port);
  std::string text;
  for (const HostKey& key : keys_.accepted) {
    if (is_usable(key)) text += name + " " + to_text(key) + "\n";
  }
  return text;
}

void RemoteGuard::install(git_remote_callbacks& callbacks) {
  callbacks.credentials = on_credentials;
  callbacks.certificate_check = on_certificate;
  callbacks.transfer_progress = on_progress;
  callbacks.payload = this;
}

int RemoteGuard::on_progress(const git_indexer_progress* progress, void* payload) {
  auto& self = *static_cast<RemoteGuard*>(payload);
  if (progress->received_bytes > self.max_bytes_) {
    return self.refuse(GIT_EUSER, "the remote sends more than " + std::to_string(self.max_bytes_) + " bytes");
  }
  if (progress->total_objects > self.max_objects_) {
    return self.refuse(GIT_EUSER, "the remote sends more than " + std::to_string(self.max_objects_) + " objects");
  }
  return 0;
}

int RemoteGuard::on_credentials(git_credential** out, const char* url, const char* /*user*/, unsigned allowed,
                                void* payload) {
  return static_cast<RemoteGuard*>(payload)->credentials(out, url == nullptr ? "" : url, allowed);
}

int RemoteGuard::credentials(git_credential** out, const std::string& url, unsigned allowed) {
  if (url_.transport == Transport::ssh) {
    if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) return git_credential_username_new(out, url_.user.c_str());
    if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0) return ssh_key(out);
    return refuse(GIT_EAUTH, "the server takes no public keys from user \"" + url_.user + "\"");
  }
  if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0) return token(out, url);
  return refuse(GIT_EAUTH, "the server wants a login that is not supported: only tokens are");
}

int RemoteGuard::ssh_key(git_credential** out) {
  if (next_ < attempts_.size()) {
    const Attempt& attempt = attempts_[next_++];
    if (attempt.identity.empty()) return git_credential_ssh_key_from_agent(out, url_.user.c_str());
    return git_credential_ssh_key_new(out, url_.user.c_str(), nullptr, attempt.identity.c_str(), nullptr);
  }
  std::string tried;
  for (const Attempt& attempt : attempts_) tried += (tried.empty() ? "" : " nor ") + attempt.name;
  if (tried.empty()) tried = "a login without a key (no agent runs, and there is no ~/.ssh/id_ed25519)";
  return refuse(GIT_EAUTH, "the server does not accept " + tried + " for user \"" + url_.user +
                               "\"; expected an ed25519 key that it knows (RSA keys can't be used)");
}

int RemoteGuard::token(git_credential** out, const std::string& url) {
  const ParsedUrl asked = parse_url(url);
  const bool same = asked.problem.empty() && asked.url.transport == url_.transport && asked.url.host == url_.host &&
                    asked.url.port == url_.port;
  if (!same)
    return refuse(GIT_EAUTH,
                  "\"" + printable(url) + "\" wants a login, and the token is for \"" + url_.host + "\" only");
  if (remote_.token_file.empty()) return refuse(GIT_EAUTH, "the server wants a login; set a token file");
  if (url_.transport != Transport::https) return refuse(GIT_EAUTH, "a token is sent over https:// only");
  if (token_sent_) return refuse(GIT_EAUTH, "the server refuses the token of \"" + remote_.token_file + "\"");
  const std::string text = trimmed(read_small_file(remote_.token_file, max_token_bytes).value_or(""));
  if (text.empty()) return refuse(GIT_EAUTH, "the token file \"" + remote_.token_file + "\" is empty or can't be read");
  token_sent_ = true;
  const std::size_t colon = text.find(':');
  const std::string user = colon == std::string::npos ? "x-access-token" : text.substr(0, colon);
  const std::string token = colon == std::string::npos ? text : text.substr(colon + 1);
  return git_credential_userpass_plaintext_new(out, user.c_str(), token.c_str());
}

int RemoteGuard::on_certificate(git_cert* certificate, int valid, const char* /*host*/, void* payload) {
  auto& self = *static_cast<RemoteGuard*>(payload);
  if (certificate->cert_type == GIT_CERT_HOSTKEY_LIBSSH2) {
    return self.check_host_key(*reinterpret_cast<const git_cert_hostkey*>(certificate));
  }
  if (valid == 1) return 0;
  return self.refuse(GIT_ECERTIFICATE,
                     "the certificate of \"" + self.url_.host +
                         "\" is not trusted for this name; set a CA file if it has its own authority");
}

int RemoteGuard::check_host_key(const git_cert_hostkey& certificate) {
  const std::string where = "\"" + url_.host + "\" port " + std::to_string(url_.port);
  if ((certificate.type & GIT_CERT_SSH_RAW) == 0)
    return refuse(GIT_ECERTIFICATE, "the host key of " + where + " can't be read");
  const HostKey found{key_type(certificate.raw_type), std::string(certificate.hostkey, certificate.hostkey_len)};
  const auto holds = [&](const std::vector<HostKey>& keys) {
    return std::any_of(keys.begin(), keys.end(), [&](const HostKey& key) { return key.blob == found.blob; });
  };
  const std::string source = remote_.host_key.empty() ? "\"" + known_hosts_path_ + "\"" : "the pinned key";
  if (holds(keys_.revoked))
    return refuse(GIT_ECERTIFICATE, "the host key of " + where + " is marked @revoked in " + source);
  if (holds(keys_.accepted)) return 0;
  if (!keys_.accepted.empty()) {
    return refuse(GIT_ECERTIFICATE, "the host key of " + where + " is another than " + source + " says: expected " +
                                        fingerprint(keys_.accepted.front()) + ", found " + fingerprint(found) +
                                        "; do not continue before you know why");
  }
  return refuse(GIT_ECERTIFICATE, "the host key of " + where + " is not known: found " + fingerprint(found) +
                                      "; if it is the right one, pin \"" + to_text(found) + "\" or add it to \"" +
                                      known_hosts_path_ + "\"");
}

int RemoteGuard::refuse(int code, const std::string& problem) {
  problem_ = problem;
  return code;
}

}  // namespace holdfast
