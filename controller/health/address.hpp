#pragma once

#include <optional>
#include <string>

struct sockaddr;

namespace holdfast {

/// Why the controller does not connect to this resolved address for a manifest's check; nullopt where it may:
/// link-local addresses and the fixed ones of cloud metadata services, also written as IPv4 in IPv6, hand out the
/// controller's own credentials.
std::optional<std::string> refuse_address(const sockaddr& address);

}  // namespace holdfast
