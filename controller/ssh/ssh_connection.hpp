#pragma once

#include <controller/connection.hpp>

#include <memory>

namespace holdfast {

/// What connect() does for `connection: ssh`.
std::unique_ptr<Connection> connect_ssh(const Host& host, const ConnectOptions& options, Deadline deadline);

/// What connect() does for `connection: local`: the runner is a child of this process, below the host's root.
std::unique_ptr<Connection> connect_local(const Host& host, const ConnectOptions& options);

}  // namespace holdfast
