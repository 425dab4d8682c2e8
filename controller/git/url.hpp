#pragma once

#include <optional>
#include <string>

namespace holdfast {

enum class Transport { ssh, https, http, file };

/// The parts of an acceptable remote URL.
struct RemoteUrl {
  Transport transport = Transport::file;
  std::string user{};  // ssh only; empty where the URL names none
  std::string host{};  // lower case, without brackets; empty for files
  int port = 0;        // the transport's own where the URL names none
  std::string path{};  // absolute for files
};

struct ParsedUrl {
  RemoteUrl url{};
  std::string problem{};  // not empty: the URL is refused, and `url` says nothing
};

/// Takes apart ssh://[user@]host[:port]/path, user@host:path, https://, http:// to this machine, file:///path and
/// /path. Everything else, and everything that git or a remote shell could read as something else, is a problem in
/// words.
ParsedUrl parse_url(const std::string& url);

}  // namespace holdfast
