#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

/// The bytes of a base64 text (RFC 4648, with padding, no white space); nullopt where it is none.
std::optional<std::string> from_base64(std::string_view text);
std::string to_base64(std::string_view bytes);

}  // namespace holdfast
