#include <controller/ssh/host_key.hpp>

#include <manifests/error.hpp>

#include <libssh/libssh.h>

#include <fstream>
#include <memory>
#include <sstream>

namespace holdfast {

namespace {

struct FreeKey {
  void operator()(ssh_key key) const { ssh_key_free(key); }
};
using Key = std::unique_ptr<ssh_key_struct, FreeKey>;

struct FreeEntry {
  void operator()(ssh_knownhosts_entry* entry) const { ssh_knownhosts_entry_free(entry); }
};

std::string fingerprint(ssh_key key) {
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != SSH_OK) return "unknown";
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
  ssh_clean_pubkey_hash(&hash);
  std::string result = text == nullptr ? "unknown" : text;
  ssh_string_free_char(text);
  return result;
}

/// The key as a line of a manifest has it: "ssh-ed25519 AAAA…".
std::string line_of(ssh_key key) {
  char* base64 = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK) return "";
  std::string line = std::string(ssh_key_type_to_char(ssh_key_type(key))) + " " + base64;
  ssh_string_free_char(base64);
  return line;
}

Key key_from(const std::string& line) {
  std::istringstream words(line);
  std::string type;
  std::string base64;
  words >> type >> base64;
  ssh_key key = nullptr;
  const ssh_keytypes_e known = ssh_key_type_from_name(type.c_str());
  if (known == SSH_KEYTYPE_UNKNOWN || ssh_pki_import_pubkey_base64(base64.c_str(), known, &key) != SSH_OK) {
    throw Error("expected hostKey as \"ssh-ed25519 AAAA…\" (a line of /etc/ssh/ssh_host_ed25519_key.pub), found \"" +
                line + "\"");
  }
  return Key(key);
}

std::string algorithms_of(ssh_key key, const std::string& line) {
  if (ssh_key_type(key) == SSH_KEYTYPE_RSA) return "rsa-sha2-512,rsa-sha2-256";
  return line.substr(0, line.find(' '));
}

std::string known_hosts_name(const SshTarget& target) {
  return target.port == 22 ? target.address : "[" + target.address + "]:" + std::to_string(target.port);
}

std::string how_to_trust(const SshTarget& target, ssh_key key, const std::string& known_hosts) {
  std::string text =
      "compare this fingerprint with the one that the host itself shows on its console (ssh-keygen -lf "
      "/etc/ssh/ssh_host_ed25519_key.pub), and only if they are equal ";
  if (target.jump)
    return text + "add this line to " + known_hosts + ": " + known_hosts_name(target) + " " + line_of(key);
  return text + "pin it in the Environment: hostKey: \"" + line_of(key) + "\"";
}

[[noreturn]] void refuse_changed(const SshTarget& target, const std::string& expected, ssh_key found) {
  throw Error(
      "the host key of \"" + target.address + "\" is not the expected one: expected " + expected + ", found " +
      fingerprint(found) + " (" + ssh_key_type_to_char(ssh_key_type(found)) +
      "); somebody may be between, or the host was installed anew: nothing was sent to it, find out which before "
      "you change the key that is expected");
}

void check_pinned(const SshTarget& target, ssh_key found) {
  std::string expected;
  for (const std::string& line : target.host_keys) {
    const Key pinned = key_from(line);
    if (ssh_key_cmp(pinned.get(), found, SSH_KEY_CMP_PUBLIC) == 0) return;
    expected += (expected.empty() ? "" : " or ") + fingerprint(pinned.get());
  }
  refuse_changed(target, expected + " (pinned)", found);
}

/// The fingerprints that the file has for this host; the library does not tell the ones that did not match.
std::string known_fingerprints(const SshTarget& target, const std::string& known_hosts) {
  std::ifstream file(known_hosts);
  const std::string name = known_hosts_name(target);
  std::string all;
  for (std::string line; std::getline(file, line);) {
    ssh_knownhosts_entry* raw = nullptr;
    if (ssh_known_hosts_parse_line(name.c_str(), line.c_str(), &raw) != SSH_OK) continue;
    const std::unique_ptr<ssh_knownhosts_entry, FreeEntry> entry(raw);
    all += (all.empty() ? "" : " or ") + fingerprint(entry->publickey);
  }
  return (all.empty() ? "another key" : all) + " (" + known_hosts + ")";
}

}  // namespace

std::string pinned_algorithms(const std::vector<std::string>& host_keys) {
  std::string all;
  for (const std::string& line : host_keys) {
    const std::string one = algorithms_of(key_from(line).get(), line);
    if (all.find(one) == all.npos) all += (all.empty() ? "" : ",") + one;
  }
  return all;
}

void check_host_key(ssh_session_struct* session, const SshTarget& target, const std::string& known_hosts) {
  ssh_key raw = nullptr;
  if (ssh_get_server_publickey(session, &raw) != SSH_OK) throw Error("\"" + target.address + "\" showed no host key");
  const Key found(raw);
  if (!target.host_keys.empty()) return check_pinned(target, found.get());
  switch (ssh_session_is_known_server(session)) {
    case SSH_KNOWN_HOSTS_OK:
      return;
    case SSH_KNOWN_HOSTS_CHANGED:
    case SSH_KNOWN_HOSTS_OTHER:
      refuse_changed(target, known_fingerprints(target, known_hosts), found.get());
    case SSH_KNOWN_HOSTS_UNKNOWN:
    case SSH_KNOWN_HOSTS_NOT_FOUND:
      throw Error("the host key of \"" + target.address + "\" is not known: it shows " + fingerprint(found.get()) +
                  "; " + how_to_trust(target, found.get(), known_hosts));
    case SSH_KNOWN_HOSTS_ERROR:
      break;
  }
  throw Error("cannot read the known hosts in \"" + known_hosts + "\": " + ssh_get_error(session));
}

}  // namespace holdfast
