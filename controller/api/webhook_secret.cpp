#include <controller/api/webhook_secret.hpp>

#include <controller/git/base64.hpp>
#include <controller/git/small_file.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include <openssl/crypto.h>
#include <sys/stat.h>

#include <algorithm>
#include <sstream>

namespace holdfast {

namespace {

constexpr std::size_t max_file_bytes = 4096;
constexpr std::size_t least_bytes = 16;
constexpr std::size_t most_signatures = 8;
constexpr std::string_view signing_prefix = "whsec_";
constexpr std::string_view version_prefix = "v1,";

void wipe(std::vector<std::string>& texts) {
  for (std::string& one : texts) OPENSSL_cleanse(one.data(), one.size());
}

bool are_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// Tokens differ in length: their MACs do not.
bool are_equal_tokens(const std::string& secret, std::string_view token) {
  return are_equal(hmac_sha256(secret, secret), hmac_sha256(secret, token));
}

std::string lower_case(std::string_view hex) {
  std::string text(hex);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  return text;
}

}  // namespace

WebhookSecret::WebhookSecret(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    if (line.starts_with(signing_prefix)) {
      auto key = from_base64(std::string_view(line).substr(signing_prefix.size()));
      if (!key || key->size() < least_bytes) {
        throw Error("a webhook secret that begins with \"whsec_\" must go on with base64 of 16 bytes or more");
      }
      signing_keys_.push_back(std::move(*key));
    } else if (line.size() < least_bytes) {
      throw Error("a webhook secret must have 16 characters or more; `openssl rand -hex 32` makes one");
    }
    secrets_.push_back(std::move(line));
  }
  if (secrets_.empty()) throw Error("there is no webhook secret; `openssl rand -hex 32` makes one");
}

WebhookSecret::~WebhookSecret() {
  wipe(secrets_);
  wipe(signing_keys_);
}

WebhookSecret WebhookSecret::read(const std::string& file) {
  struct stat found {};
  const bool there = ::stat(file.c_str(), &found) == 0;
  auto text = there ? read_small_file(file, max_file_bytes) : std::nullopt;
  if (!text) throw Error("the webhook's secret file \"" + file + "\" can't be read, or has more than 4096 bytes");
  if ((found.st_mode & S_IRWXO) != 0) {
    throw Error("the webhook's secret file \"" + file + "\" can be read by everybody: chmod 0600 it");
  }
  try {
    WebhookSecret secret(*text);
    OPENSSL_cleanse(text->data(), text->size());
    return secret;
  } catch (const Error& error) {
    throw Error("\"" + file + "\": " + error.what());
  }
}

bool WebhookSecret::is_mac(std::string_view bytes, std::string_view hex) const {
  const std::string given = lower_case(hex);
  bool found = false;
  for (const std::string& one : secrets_) found |= are_equal(hmac_sha256(one, bytes), given);
  return found;
}

bool WebhookSecret::is_token(std::string_view token) const {
  bool found = false;
  for (const std::string& one : secrets_) found |= are_equal_tokens(one, token);
  return found;
}

bool WebhookSecret::has_signed(std::string_view bytes, std::string_view signatures) const {
  std::vector<std::string> macs;
  for (const std::string& one : signing_keys_) macs.push_back(hmac_sha256(one, bytes));
  bool found = false;
  for (std::size_t i = 0; i < most_signatures && !signatures.empty(); ++i) {
    const std::size_t end = std::min(signatures.find(' '), signatures.size());
    const std::string_view one = signatures.substr(0, end);
    signatures.remove_prefix(std::min(end + 1, signatures.size()));
    if (!one.starts_with(version_prefix)) continue;
    const auto mac = from_base64(one.substr(version_prefix.size()));
    for (const std::string& own : macs) found |= mac && are_equal(own, to_hex(*mac));
  }
  return found;
}

}  // namespace holdfast
