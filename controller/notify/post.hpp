#pragma once

#include <controller/health/http_client.hpp>
#include <controller/notify/sink.hpp>

#include <atomic>
#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// A request to a sink. TLS is verified, redirects are refused; without TLS only to this machine itself.
struct Post {
  std::string url{};
  std::string method = "POST";
  std::map<std::string, std::string> headers{};
  std::string body{};
  std::string ca_file{};
  std::vector<std::string> secrets{};  // never shown, also not where the sink says them back
};

struct PostAnswer {
  SendResult result{};
  int status = 0;      // 0: none
  std::string body{};  // at most 1 MiB
};

/// Throws Error for a URL that is not taken.
PostAnswer post(const Post& post, const std::atomic<bool>& stop);

/// The text in a file of the controller's own without white space around it; throws Error that names the file where it
/// is missing, empty, larger than 8 KiB, or has control characters.
std::string secret_in(const std::string& file, const std::string& what);

/// What of a URL follows its host, where that is long enough to be a secret: a sink may say it back in an error.
std::string path_of(const std::string& url);

/// "127.0.0.1", "::1", "localhost".
bool is_loopback(const std::string& host);

}  // namespace holdfast
