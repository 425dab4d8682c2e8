#include <controller/git/ssh_identity.hpp>

#include <controller/git/base64.hpp>
#include <controller/git/small_file.hpp>

#include <optional>
#include <string_view>

namespace holdfast {

namespace {

constexpr std::size_t max_key_bytes = 64U << 10U;
constexpr std::string_view begin_mark = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view end_mark = "-----END OPENSSH PRIVATE KEY-----";
constexpr std::string_view magic{"openssh-key-v1\0", 15};

/// Takes one length-prefixed string off the front; empty where there are not that many bytes.
std::string_view take_string(std::string_view& bytes) {
  if (bytes.size() < 4) return {};
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) length = length << 8U | static_cast<unsigned char>(bytes[i]);
  if (length > bytes.size() - 4) return {};
  const std::string_view string = bytes.substr(4, length);
  bytes.remove_prefix(4 + length);
  return string;
}

struct KeyFile {
  std::string cipher{};
  std::string type{};
};

std::optional<KeyFile> read_openssh(std::string_view text) {
  const std::size_t begin = text.find(begin_mark);
  const std::size_t end = text.find(end_mark);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return std::nullopt;
  std::string body;
  for (const char c : text.substr(begin + begin_mark.size(), end - begin - begin_mark.size())) {
    if (c > ' ') body += c;
  }
  const std::optional<std::string> decoded = from_base64(body);
  if (!decoded || decoded->compare(0, magic.size(), magic) != 0) return std::nullopt;
  std::string_view rest = std::string_view(*decoded).substr(magic.size());
  KeyFile key;
  key.cipher = take_string(rest);
  take_string(rest);                                      // key derivation
  take_string(rest);                                      // its options
  rest.remove_prefix(rest.size() < 4 ? rest.size() : 4);  // number of keys
  std::string_view public_key = take_string(rest);
  key.type = take_string(public_key);
  return key;
}

}  // namespace

std::string refuse_identity(const std::string& path) {
  const std::string wanted = "; use an ed25519 key without a passphrase, or the agent";
  const std::optional<std::string> text = read_small_file(path, max_key_bytes);
  if (!text) return "the key file \"" + path + "\" can't be read";
  if (text->find("BEGIN RSA PRIVATE KEY") != std::string::npos) return "\"" + path + "\" is an RSA key" + wanted;
  const std::optional<KeyFile> key = read_openssh(*text);
  if (!key) return "\"" + path + "\" is no OpenSSH private key" + wanted;
  if (key->type == "ssh-rsa") return "\"" + path + "\" is an RSA key" + wanted;
  if (key->type != "ssh-ed25519" && key->type.compare(0, 11, "ecdsa-sha2-") != 0) {
    return "\"" + path + "\" is a key of type \"" + key->type.substr(0, 40) + "\"" + wanted;
  }
  return key->cipher == "none" ? "" : "\"" + path + "\" has a passphrase" + wanted;
}

}  // namespace holdfast
