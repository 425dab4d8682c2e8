#pragma once

#include <manifests/environment.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// One SSH server on the way to a host. What stands in it was checked: no text of a manifest can be taken for an
/// option, a pattern or a second word.
struct SshTarget {
  std::string user{};
  std::string address{};
  int port = 22;
  std::vector<std::string> host_keys{};  // "ssh-ed25519 AAAA…"; empty: known_hosts decides
  std::string identity{};                // key file; empty: the agent and the usual files
  bool jump = false;                     // known by known_hosts only: a manifest pins no key for it
};

/// "user@address:port", with brackets around an IPv6 address.
std::string to_text(const SshTarget& target);

/// The servers to go through, the host itself last. Throws Error where an address, user, port or jump is malformed.
std::vector<SshTarget> ssh_route(const Host& host);

}  // namespace holdfast
