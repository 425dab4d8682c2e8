#pragma once

#include <optional>
#include <string>

namespace holdfast {

/// The bytes of a regular file of the controller's own (a key, a token, a list of hosts); nullopt where it is missing,
/// unreadable, or larger than `max_bytes`. Links are followed: people link such files.
std::optional<std::string> read_small_file(const std::string& path, std::size_t max_bytes);

}  // namespace holdfast
