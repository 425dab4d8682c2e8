#pragma once

#include "host.hpp"

#include <controller/connection.hpp>

#include <memory>

namespace holdfast::simulation {

/// A way from the running controller to a host: real runner code is at the other end. Throws Error where the host can't
/// be reached before the deadline.
std::unique_ptr<Connection> connect_to(Host& host, Deadline deadline);

}  // namespace holdfast::simulation
