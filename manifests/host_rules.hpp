#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

/// What a host may be called: letters, digits, `.` and `-`, not beginning or ending in a mark.
bool is_host_name(std::string_view text);
/// A DNS name, an IPv4 or an IPv6 address; never anything that a program could take for an option.
bool is_host_address(std::string_view text);
/// `user@host:port`, user and port as needed, an IPv6 address in brackets where a port follows.
bool is_jump_host(std::string_view text);
/// A public key as OpenSSH writes it, "ssh-ed25519 AAAA…", a comment behind it or none.
bool is_host_key(std::string_view text);
/// A branch or tag as git takes it, without patterns.
bool is_ref_name(std::string_view text);

/// A pattern of such names: with "*" for any text.
bool is_ref_pattern(std::string_view text);

}  // namespace holdfast
