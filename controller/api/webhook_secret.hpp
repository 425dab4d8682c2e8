#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// What webhooks are signed with; never formatted, and wiped at its end. Several while one is replaced by another.
class WebhookSecret {
 public:
  /// From the text of a file: one secret a line, of at least 16 bytes; GitLab's signing token begins with "whsec_".
  /// Throws Error that quotes none of it.
  explicit WebhookSecret(const std::string& text);
  ~WebhookSecret();
  WebhookSecret(WebhookSecret&&) noexcept = default;
  WebhookSecret& operator=(WebhookSecret&&) = delete;
  WebhookSecret(const WebhookSecret&) = delete;
  WebhookSecret& operator=(const WebhookSecret&) = delete;

  /// Reads a file that only its owner and group may read. Throws Error.
  static WebhookSecret read(const std::string& file);

  /// All compare in constant time.
  [[nodiscard]] bool is_mac(std::string_view bytes, std::string_view hex) const;
  [[nodiscard]] bool is_token(std::string_view token) const;
  /// Signatures as "v1,BASE64", parted by spaces.
  [[nodiscard]] bool has_signed(std::string_view bytes, std::string_view signatures) const;

 private:
  std::vector<std::string> secrets_;
  std::vector<std::string> signing_keys_;
};

}  // namespace holdfast
