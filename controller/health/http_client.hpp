#pragma once

#include <controller/connection.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast {

/// One request of a health check or a notification. Redirects are never followed here: each hop is a request of its
/// own.
struct HttpRequest {
  std::string url{};  // http or https
  std::string method = "GET";
  std::map<std::string, std::string> headers{};
  std::string body{};          // sent unless the method is GET or HEAD
  std::string content_type{};  // of the body; empty: none is told
  bool verify_tls = true;
  std::string ca_file{};                    // PEM, in place of the system's authorities
  std::string connect{};                    // asked instead of the URL's host: "192.0.2.1:443"
  bool connect_only = false;                // sees the TCP connection made, sends nothing
  const std::atomic<bool>* stop = nullptr;  // asked directly: given up soon after this turns true
};

/// What came back, hostile as it is: the body ends at 1 MiB, the headers at 64 KiB.
struct HttpResponse {
  std::string failure{};  // why there is no answer, printable; empty: there is one
  bool timed_out = false;
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};  // names in lower case, in their order
  std::string body{};
  bool cut = false;                                   // the body was longer
  std::string redirect{};                             // absolute URL of a redirect's target
  std::optional<std::int64_t> certificate_expires{};  // of the peer, seconds since the epoch
};

/// The parts of a URL that decide who is asked. The host of an IPv6 literal has no brackets.
struct UrlParts {
  std::string scheme{};
  std::string host{};
  int port = 0;
};

/// nullopt for anything that is not an http or https URL with a host.
std::optional<UrlParts> split_url(const std::string& url);

/// Asks through a stream that is connected to the server already. Never throws: a lost stream is a failure in the
/// response.
HttpResponse ask_through(const HttpRequest& request, Stream& stream, Deadline deadline);

/// Asks from this machine. Link-local and metadata addresses are refused after their names are resolved.
HttpResponse ask_directly(const HttpRequest& request, Deadline deadline);

}  // namespace holdfast
