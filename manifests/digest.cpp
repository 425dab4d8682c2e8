// The low-level SHA-256 interface is used although OpenSSL 3 calls it deprecated: the EVP one links all of its provider
// machinery (4 MB) into the static host runner.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <manifests/digest.hpp>

#include <openssl/sha.h>

#include <algorithm>
#include <cstdint>

namespace holdfast {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t block_bytes = 64;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return hex_digits.find(c) != std::string_view::npos; });
}

std::string raw_sha256(std::string_view first, std::string_view second) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, first.data(), first.size());
  SHA256_Update(&context, second.data(), second.size());
  std::array<unsigned char, SHA256_DIGEST_LENGTH> out{};
  SHA256_Final(out.data(), &context);
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

std::string raw_sha1(std::string_view first, std::string_view second) {
  SHA_CTX context;
  SHA1_Init(&context);
  SHA1_Update(&context, first.data(), first.size());
  SHA1_Update(&context, second.data(), second.size());
  std::array<unsigned char, SHA_DIGEST_LENGTH> out{};
  SHA1_Final(out.data(), &context);
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

/// RFC 2104, for a hash of 64-byte blocks that takes its input in two parts.
std::string hmac(std::string (*hash)(std::string_view, std::string_view), std::string_view key,
                 std::string_view bytes) {
  std::string block(key.size() > block_bytes ? hash(key, {}) : std::string(key));
  block.resize(block_bytes, '\0');
  std::string inner = block;
  std::string outer = block;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  return to_hex(hash(outer, hash(inner, bytes)));
}

}  // namespace

struct Sha256::State {
  SHA256_CTX context{};
};

Sha256::Sha256() : state_(std::make_unique<State>()) { SHA256_Init(&state_->context); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes) { SHA256_Update(&state_->context, bytes.data(), bytes.size()); }

std::string Sha256::hex() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> out{};
  SHA256_Final(out.data(), &state_->context);
  return to_hex({reinterpret_cast<const char*>(out.data()), out.size()});
}

std::string sha256(std::string_view bytes) { return to_hex(raw_sha256(bytes, {})); }

std::string hmac_sha256(std::string_view key, std::string_view bytes) { return hmac(raw_sha256, key, bytes); }

std::string hmac_sha1(std::string_view key, std::string_view bytes) { return hmac(raw_sha1, key, bytes); }

std::string to_hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += hex_digits[byte >> 4U];
    text += hex_digits[byte & 15U];
  }
  return text;
}

bool is_sha256(std::string_view text) { return text.size() == 64 && is_hex(text); }

bool is_object_id(std::string_view text) { return (text.size() == 40 || text.size() == 64) && is_hex(text); }

}  // namespace holdfast
