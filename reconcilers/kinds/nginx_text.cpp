#include <reconcilers/kinds/nginx_text.hpp>

#include <algorithm>
#include <vector>

namespace holdfast {

namespace {

using Words = std::vector<std::string>;

/// Splits a configuration into its directives, one after the other, whatever block they stand in.
class Directives {
 public:
  explicit Directives(std::string_view text) : text_(text) {}

  /// False at the end of the text.
  bool next(Words& words) {
    words.clear();
    std::string word;
    while (at_ < text_.size()) {
      const char letter = text_[at_++];
      if (letter == '#' && word.empty()) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (letter == '"' || letter == '\'') {
        take_quoted(letter, word);
      } else if (letter == ';' || letter == '{' || letter == '}' || is_space(letter)) {
        if (!word.empty()) words.push_back(std::move(word));
        word.clear();
        if (!is_space(letter) && !words.empty()) return true;
      } else {
        word += letter;
      }
    }
    return false;
  }

 private:
  static bool is_space(char letter) { return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r'; }

  void take_quoted(char quote, std::string& word) {
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      word += text_[at_++];
    }
    ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool has(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

struct Listen {
  std::string host{};
  std::string port = "80";
  bool tls = false;
};

Listen read_listen(const Words& words) {
  Listen listen;
  listen.tls = has(words, "ssl");
  const std::string& address = words[1];
  if (address.starts_with("unix:")) {
    listen.host = address.substr(5);
    return listen;
  }
  if (is_number(address)) {
    listen.port = address;
    listen.host = "127.0.0.1";
    return listen;
  }
  const std::size_t bracket = address.rfind(']');
  const std::size_t colon = address.find(':', bracket == std::string::npos ? 0 : bracket);
  listen.host = address.substr(0, colon);
  if (colon != std::string::npos) listen.port = address.substr(colon + 1);
  if (listen.host == "*" || listen.host == "0.0.0.0" || listen.host == "localhost") listen.host = "127.0.0.1";
  if (listen.host == "[::]") listen.host = "[::1]";
  return listen;
}

/// A name that a client can ask for: no wildcard, regular expression or variable.
bool is_plain_name(std::string_view name) {
  if (name.empty() || name == "_" || name.starts_with('.') || name.starts_with('-')) return false;
  return std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           letter == '.' || letter == '-';
  });
}

}  // namespace

std::optional<SiteAddress> site_address(std::string_view text) {
  Directives directives(text);
  Words words;
  std::optional<Listen> listen;
  std::string name;
  while (directives.next(words)) {
    if (words.size() < 2) continue;
    if (words[0] == "listen" && !listen && !has(words, "quic")) listen = read_listen(words);
    if (words[0] != "server_name" || !name.empty()) continue;
    const auto plain = std::find_if(words.begin() + 1, words.end(), is_plain_name);
    if (plain != words.end()) name = *plain;
  }
  const bool is_socket = listen && listen->host.starts_with('/');
  if (!listen || (!is_socket && !is_number(listen->port)) || listen->host.find('$') != std::string::npos) {
    return std::nullopt;
  }
  const std::string usual = listen->tls ? "443" : "80";
  SiteAddress address;
  address.connect = is_socket ? listen->host : listen->host + ":" + listen->port;
  address.url = (listen->tls ? "https://" : "http://") + (name.empty() ? "localhost" : name);
  if (!is_socket && listen->port != usual) address.url += ":" + listen->port;
  address.url += "/";
  return address;
}

}  // namespace holdfast
