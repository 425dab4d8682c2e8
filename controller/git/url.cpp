#include <controller/git/url.hpp>

#include <controller/git/mirror.hpp>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace holdfast {

namespace {

constexpr std::size_t max_url_bytes = 2048;
constexpr std::string_view plain_path_characters = "._-~+@:=,/";

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool all_of(std::string_view text, std::string_view also) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_plain(c) || also.find(c) != std::string_view::npos; });
}

bool take(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

/// "host", "host:22", "[::1]:22" into the URL; the text of a problem, or "".
std::string take_authority(std::string_view text, RemoteUrl& url) {
  std::string_view host = text;
  std::string_view port;
  if (take(text, "[")) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return "the host's bracket is not closed";
    host = text.substr(0, end);
    port = text.substr(end + 1);
    if (!all_of(host, ":.") || host.find(':') == std::string_view::npos) return "expected an IPv6 address in brackets";
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    host = text.substr(0, colon);
    port = text.substr(colon);
    if (!all_of(host, ".-_")) return "the host has characters that no host name has";
  }
  if (host.empty() || host.front() == '-') return "expected a host name";
  if (!port.empty()) {
    port.remove_prefix(port.front() == ':' ? 1 : 0);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc() || end != port.data() + port.size() || url.port < 1 || url.port > 65535) {
      return "expected a port between 1 and 65535";
    }
  }
  url.host = std::string(host);
  std::transform(url.host.begin(), url.host.end(), url.host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return "";
}

std::string take_user(std::string_view& text, RemoteUrl& url) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return "";
  const std::string_view user = text.substr(0, at);
  if (user.find(':') != std::string_view::npos) return "a URL with a password is refused: use a key";
  if (user.empty() || user.front() == '-' || !all_of(user, "._-")) return "expected a user name before \"@\"";
  url.user = std::string(user);
  text.remove_prefix(at + 1);
  return "";
}

std::string take_path(std::string_view path, RemoteUrl& url) {
  // The remote's shell sees an ssh path, and libgit2 does not escape a quote in it.
  if (!all_of(path, plain_path_characters))
    return "the path has characters other than letters, digits and . _ - ~ + @ : = , /";
  if (path.empty() || path == "/") return "expected the path of a repository";
  if (path.front() == '-') return "a path that begins with \"-\" is refused";
  if (has_dot_segment(path)) return "a path with \".\" or \"..\" segments is refused";
  url.path = std::string(path);
  return "";
}

std::string parse_ssh(std::string_view text, RemoteUrl& url) {
  url.port = 22;
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::string_view authority = text.substr(0, slash);
  std::string problem = take_user(authority, url);
  if (problem.empty()) problem = take_authority(authority, url);
  if (problem.empty()) problem = take_path(text.substr(slash), url);
  return problem;
}

std::string parse_scp(std::string_view text, RemoteUrl& url) {
  std::string problem = take_user(text, url);
  if (!problem.empty()) return problem;
  const std::size_t colon = text.find(':', text.substr(0, 1) == "[" ? std::min(text.find(']'), text.size()) : 0);
  if (colon == std::string_view::npos) return "expected \"user@host:path\"";
  problem = take_authority(text.substr(0, colon), url);
  url.port = 22;
  return problem.empty() ? take_path(text.substr(colon + 1), url) : problem;
}

std::string parse_http(std::string_view text, RemoteUrl& url) {
  url.port = url.transport == Transport::https ? 443 : 80;
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string_view authority = text.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) return "a user or token in the URL is refused: use a token file";
  std::string problem = take_authority(authority, url);
  if (problem.empty()) problem = take_path(text.substr(slash), url);
  if (!problem.empty() || url.transport == Transport::https) return problem;
  const bool here = url.host == "localhost" || url.host == "127.0.0.1" || url.host == "::1";
  return here ? "" : "http:// is for this machine only: use https:// or ssh://";
}

std::string parse_file(std::string_view path, RemoteUrl& url) {
  if (path.empty() || path.front() != '/') return "expected an absolute path";
  if (has_dot_segment(path)) return "a path with \".\" or \"..\" segments is refused";
  if (path.find('%') != std::string_view::npos) return "a path with \"%\" is refused";
  url.transport = Transport::file;
  url.path = std::string(path);
  return "";
}

std::string parse(std::string_view text, RemoteUrl& url) {
  if (text.empty()) return "expected a URL, found nothing";
  if (text.size() > max_url_bytes) return "the URL is longer than 2048 bytes";
  if (text.front() == '-') return "a URL that begins with \"-\" is refused";
  const bool visible = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!visible) return "a URL with white space, control characters or non-ASCII bytes is refused";
  if (text.front() == '/') return parse_file(text, url);
  if (take(text, "file://")) return parse_file(text, url);
  url.transport = Transport::ssh;
  if (take(text, "ssh://")) return parse_ssh(text, url);
  url.transport = Transport::https;
  if (take(text, "https://")) return parse_http(text, url);
  url.transport = Transport::http;
  if (take(text, "http://")) return parse_http(text, url);
  if (text.find("::") < text.find_first_of("/[") || text.find("://") != std::string_view::npos) {
    return "expected ssh://, https://, file://, \"user@host:path\" or an absolute path";
  }
  url.transport = Transport::ssh;
  if (text.find('@') != std::string_view::npos && text.find(':') != std::string_view::npos) return parse_scp(text, url);
  return "expected ssh://, https://, file://, \"user@host:path\" or an absolute path";
}

}  // namespace

ParsedUrl parse_url(const std::string& url) {
  ParsedUrl parsed;
  parsed.problem = parse(url, parsed.url);
  return parsed;
}

std::optional<std::string> refuse_url(const std::string& url) {
  const ParsedUrl parsed = parse_url(url);
  if (parsed.problem.empty()) return std::nullopt;
  return parsed.problem;
}

}  // namespace holdfast
