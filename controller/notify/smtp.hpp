#pragma once

#include <controller/notify/sink.hpp>

#include <atomic>
#include <string>
#include <vector>

namespace holdfast {

/// A mail and the server that takes it.
struct Mail {
  std::string server{};  // "smtps://mail.example.com", or "smtp://mail.example.com:587" with STARTTLS
  std::string user{};    // empty: nobody is logged in
  std::string password{};
  std::string ca_file{};
  std::string from{};
  std::vector<std::string> to{};
  std::string text{};  // head and body
};

/// Hands a mail to a server. TLS is required and verified, but for `smtp://` to this machine itself. Throws Error for a
/// server that is not taken.
SendResult send_by_smtp(const Mail& mail, const std::atomic<bool>& stop);

}  // namespace holdfast
