#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// A host's public key: its type as OpenSSH names it, and the raw bytes that servers send.
struct HostKey {
  std::string type{};  // "ssh-ed25519"
  std::string blob{};
  friend bool operator==(const HostKey&, const HostKey&) = default;
};

/// What an OpenSSH known_hosts file says of one host.
struct KnownKeys {
  std::vector<HostKey> accepted{};
  std::vector<HostKey> revoked{};
};

/// "ssh-ed25519 AAAA… comment" to a key; throws Error for another text.
HostKey host_key_from(std::string_view text);
/// "ssh-ed25519 AAAA…", the line that pins it.
std::string to_text(const HostKey& key);
/// "SHA256:…", as ssh-keygen -l prints it.
std::string fingerprint(const HostKey& key);

/// The keys of the lines that match the host: plain names, patterns with * ? and !, [host]:port, and hashed names.
/// Lines that can't be read, and those of certificate authorities, are passed over. `host` in lower case.
KnownKeys known_keys(std::string_view known_hosts, const std::string& host, int port);

}  // namespace holdfast
