#pragma once

#include <controller/connection.hpp>
#include <controller/ssh/socket.hpp>
#include <controller/ssh/ssh_target.hpp>

struct ssh_session_struct;

namespace holdfast {

/// Logs in with the target's key file, or with the agent's keys and the usual files; never with a password. Throws
/// Error that tells what was tried and why it did not do. The watchdog ends a wait on an agent that does not answer.
void authenticate(ssh_session_struct* session, const SshTarget& target, const ConnectOptions& options,
                  Watchdog& watchdog);

}  // namespace holdfast
