#include <manifests/host_rules.hpp>

#include <manifests/formats.hpp>

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

bool is_alphanumeric(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
}

bool only(std::string_view text, std::string_view marks) {
  return std::all_of(text.begin(), text.end(), [&](char letter) {
    return is_alphanumeric(letter) || marks.find(letter) != std::string_view::npos;
  });
}

bool is_port(std::string_view text) {
  const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
  if (text.empty() || text.size() > 5 || !digits) return false;
  const int port = std::stoi(std::string(text));
  return port >= 1 && port <= 65535;
}

bool is_ipv6(std::string_view text) {
  const std::size_t zone = text.find('%');
  const std::string_view address = text.substr(0, zone);
  if (zone != std::string_view::npos && (zone + 1 == text.size() || !only(text.substr(zone + 1), "_-."))) return false;
  const bool characters = address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  return characters && std::count(address.begin(), address.end(), ':') >= 2 && address.size() <= 45;
}

}  // namespace

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253 || !only(text, ".-") || text.find("..") != std::string_view::npos) return false;
  return is_alphanumeric(text.front()) && is_alphanumeric(text.back());
}

bool is_host_address(std::string_view text) {
  if (is_ipv6(text)) return true;
  if (text.empty() || text.size() > 253 || !only(text, "._-") || text.find("..") != std::string_view::npos)
    return false;
  return is_alphanumeric(text.front()) && is_alphanumeric(text.back());
}

bool is_jump_host(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos && !is_account_name(text.substr(0, at))) return false;
  std::string_view host = at == std::string_view::npos ? text : text.substr(at + 1);
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos || !is_ipv6(host.substr(1, end - 1))) return false;
    const std::string_view port = host.substr(end + 1);
    return port.empty() || (port.starts_with(':') && is_port(port.substr(1)));
  }
  const std::size_t colon = host.find(':');
  if (colon != std::string_view::npos && !is_ipv6(host)) {
    if (!is_port(host.substr(colon + 1))) return false;
    host = host.substr(0, colon);
  }
  return is_host_address(host);
}

bool is_host_key(std::string_view text) {
  static constexpr std::array<std::string_view, 5> types = {"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256",
                                                            "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"};
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos || std::find(types.begin(), types.end(), text.substr(0, space)) == types.end()) {
    return false;
  }
  const std::string_view key = text.substr(space + 1, text.find(' ', space + 1) - space - 1);
  return key.size() >= 40 && key.starts_with("AAAA") && only(key, "+/=");
}

bool is_ref_name(std::string_view text) {
  static constexpr std::string_view never = " ~^:?*[\\";
  if (text.empty() || text.size() > 250 || text == "@" || text.starts_with('-') || text.ends_with('.')) return false;
  for (const std::string_view part : {"..", "@{", "//", "/."}) {
    if (text.find(part) != std::string_view::npos) return false;
  }
  if (text.starts_with('/') || text.ends_with('/') || text.starts_with('.') || text.ends_with(".lock")) return false;
  return std::none_of(text.begin(), text.end(), [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F || never.find(letter) != std::string_view::npos;
  });
}

bool is_ref_pattern(std::string_view text) {
  std::string name(text);
  std::replace(name.begin(), name.end(), '*', 'x');
  return name != text && is_ref_name(name);
}

}  // namespace holdfast
