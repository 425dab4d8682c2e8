#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast {

/// SHA-256 in 64 lower-case hexadecimal digits: how content is named everywhere in holdfast.
std::string sha256(std::string_view bytes);

/// HMAC-SHA-256 (RFC 2104) in hexadecimal: how a secret is shown as "changed or not" without a guessable plain hash.
std::string hmac_sha256(std::string_view key, std::string_view bytes);

/// HMAC-SHA-1 in hexadecimal: only for the hashed names of OpenSSH's known_hosts files, whose format it is.
std::string hmac_sha1(std::string_view key, std::string_view bytes);

/// The same digest for content that comes in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void add(std::string_view bytes);
  /// Ends the computation; call once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string to_hex(std::string_view bytes);

/// True for exactly 64 lower-case hexadecimal digits: a digest from outside is checked before it becomes part of a
/// path.
bool is_sha256(std::string_view text);
/// True for a full git object id (40 or 64 lower-case hexadecimal digits); short ids are never accepted.
bool is_object_id(std::string_view text);

}  // namespace holdfast
