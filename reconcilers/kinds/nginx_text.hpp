#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

/// Where the first server of a site's configuration listens.
struct SiteAddress {
  std::string connect{};  // "127.0.0.1:80" or the path of a unix socket, as seen on the host
  std::string url{};      // "http://cvd.example.com:8080/"
};

/// Reads the first `listen` and `server_name`; nullopt where the text has no `listen` that a client could use.
std::optional<SiteAddress> site_address(std::string_view text);

}  // namespace holdfast
