#pragma once

#include <controller/ssh/ssh_target.hpp>

#include <string>
#include <vector>

struct ssh_session_struct;

namespace holdfast {

/// The signature algorithms to offer so that the server shows a key of a pinned type, in libssh's notation. Throws
/// Error where a pin is no public key line.
std::string pinned_algorithms(const std::vector<std::string>& host_keys);

/// Throws Error unless the server's key is pinned or, where nothing is pinned, stands in the known_hosts file. Never
/// trusts on first use, never writes.
void check_host_key(ssh_session_struct* session, const SshTarget& target, const std::string& known_hosts);

}  // namespace holdfast
