#include <controller/ssh/ssh_target.hpp>

#include <manifests/error.hpp>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace holdfast {

namespace {

constexpr std::size_t max_address_chars = 253;
constexpr std::size_t max_user_chars = 64;
constexpr std::size_t max_jumps = 4;

bool is_word_char(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool all_of(std::string_view text, std::string_view also) {
  return std::all_of(text.begin(), text.end(), [also](char c) { return is_word_char(c) || also.find(c) != also.npos; });
}

void check(const SshTarget& target) {
  const std::string& address = target.address;
  if (address.empty() || address.size() > max_address_chars || address.front() == '-' || address.front() == '.' ||
      !all_of(address, "-._:%")) {
    throw Error("expected a host name or an IP address, found \"" + address + "\"");
  }
  const std::string& user = target.user;
  if (user.empty() || user.size() > max_user_chars || user.front() == '-' || !all_of(user, "-._")) {
    throw Error("expected a login name for \"" + address + "\", found \"" + user + "\"");
  }
  if (target.port < 1 || target.port > 65535) {
    throw Error("expected a port from 1 to 65535 for \"" + address + "\", found " + std::to_string(target.port));
  }
}

int port_from(std::string_view text, std::string_view jump) {
  int port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc() || end != text.data() + text.size()) {
    throw Error("expected a jump host as \"user@host:port\", found \"" + std::string(jump) + "\"");
  }
  return port;
}

SshTarget jump_from(std::string_view text, const Host& host) {
  SshTarget target{
      .user = host.user, .address = "", .port = 22, .host_keys = {}, .identity = host.identity, .jump = true};
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != rest.npos) {
    target.user = std::string(rest.substr(0, at));
    rest.remove_prefix(at + 1);
  }
  const std::size_t bracket = rest.empty() || rest.front() != '[' ? rest.npos : rest.find(']');
  if (bracket != rest.npos) {
    target.address = std::string(rest.substr(1, bracket - 1));
    rest.remove_prefix(bracket + 1);
    if (!rest.empty()) target.port = port_from(rest.front() == ':' ? rest.substr(1) : "?", text);
  } else if (const std::size_t colon = rest.find(':'); colon != rest.npos && rest.find(':', colon + 1) == rest.npos) {
    target.address = std::string(rest.substr(0, colon));
    target.port = port_from(rest.substr(colon + 1), text);
  } else {
    target.address = std::string(rest);  // a name, or an IPv6 address without a port
  }
  check(target);
  return target;
}

}  // namespace

std::string to_text(const SshTarget& target) {
  const bool brackets = target.address.find(':') != std::string::npos;
  return target.user + "@" + (brackets ? "[" + target.address + "]" : target.address) + ":" +
         std::to_string(target.port);
}

std::vector<SshTarget> ssh_route(const Host& host) {
  std::vector<SshTarget> route;
  for (std::string_view rest = host.jump; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    route.push_back(jump_from(rest.substr(0, comma), host));
    if (route.size() > max_jumps)
      throw Error("expected at most " + std::to_string(max_jumps) + " jump hosts, found more");
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  route.push_back({.user = host.user,
                   .address = host.address.empty() ? host.name : host.address,
                   .port = host.port,
                   .host_keys = host.host_keys,
                   .identity = host.identity});
  check(route.back());
  return route;
}

}  // namespace holdfast
