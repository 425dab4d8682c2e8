#include <controller/git/known_hosts.hpp>

#include <controller/git/base64.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include <algorithm>
#include <optional>

namespace holdfast {

namespace {

constexpr std::size_t max_lines = 100'000;

std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r"), text.size()));
  const std::string_view word = text.substr(0, std::min(text.find_first_of(" \t\r"), text.size()));
  text.remove_prefix(word.size());
  return word;
}

/// Bytes behind a four-byte length, as SSH writes them; empty where there are not that many.
std::string_view ssh_string(std::string_view bytes) {
  if (bytes.size() < 4) return {};
  std::size_t length = 0;
  for (int i = 0; i < 4; ++i) length = length << 8U | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  return length <= bytes.size() - 4 ? bytes.substr(4, length) : std::string_view();
}

std::optional<HostKey> read_key(std::string_view text) {
  const std::string_view type = next_word(text);
  std::optional<std::string> blob = from_base64(next_word(text));
  if (type.empty() || !blob || ssh_string(*blob) != type) return std::nullopt;
  return HostKey{std::string(type), std::move(*blob)};
}

/// OpenSSH's patterns: * and ? only. Linear in time for any pattern: only the last star is ever tried again.
bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool matches_hash(std::string_view hashed, const std::string& name) {
  const std::size_t bar = hashed.find('|');
  if (bar == std::string_view::npos) return false;
  const std::optional<std::string> salt = from_base64(hashed.substr(0, bar));
  const std::optional<std::string> hash = from_base64(hashed.substr(bar + 1));
  return salt && hash && hmac_sha1(*salt, name) == to_hex(*hash);
}

bool matches(std::string_view hosts, const std::string& name) {
  if (hosts.substr(0, 3) == "|1|") return matches_hash(hosts.substr(3), name);
  bool found = false;
  while (!hosts.empty()) {
    const std::size_t end = std::min(hosts.find(','), hosts.size());
    std::string pattern(hosts.substr(0, end));
    hosts.remove_prefix(std::min(end + 1, hosts.size()));
    std::transform(pattern.begin(), pattern.end(), pattern.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const bool negated = pattern.substr(0, 1) == "!";
    if (!matches_pattern(std::string_view(pattern).substr(negated ? 1 : 0), name)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

void read_line(std::string_view line, const std::string& name, KnownKeys& keys) {
  std::string_view hosts = next_word(line);
  if (hosts.empty() || hosts.front() == '#') return;
  const bool revoked = hosts == "@revoked";
  if (hosts.front() == '@' && !revoked) return;
  if (revoked) hosts = next_word(line);
  if (!matches(hosts, name)) return;
  if (std::optional<HostKey> key = read_key(line)) (revoked ? keys.revoked : keys.accepted).push_back(std::move(*key));
}

}  // namespace

HostKey host_key_from(std::string_view text) {
  std::optional<HostKey> key = read_key(text);
  if (!key) throw Error("expected a host key such as \"ssh-ed25519 AAAA…\", found another text");
  return std::move(*key);
}

std::string to_text(const HostKey& key) { return key.type + " " + to_base64(key.blob); }

std::string fingerprint(const HostKey& key) {
  const std::string hex = sha256(key.blob);
  std::string raw;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    raw += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  std::string text = to_base64(raw);
  text.erase(text.find_last_not_of('=') + 1);
  return "SHA256:" + text;
}

KnownKeys known_keys(std::string_view known_hosts, const std::string& host, int port) {
  const std::string name = port == 22 ? host : "[" + host + "]:" + std::to_string(port);
  KnownKeys keys;
  for (std::size_t lines = 0; lines < max_lines && !known_hosts.empty(); ++lines) {
    const std::size_t end = std::min(known_hosts.find('\n'), known_hosts.size());
    read_line(known_hosts.substr(0, end), name, keys);
    known_hosts.remove_prefix(std::min(end + 1, known_hosts.size()));
  }
  return keys;
}

}  // namespace holdfast
