#include <controller/notify/post.hpp>

#include <controller/git/small_file.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace holdfast {

namespace {

constexpr std::size_t most_secret = 8192;
constexpr std::size_t most_said = 200;
constexpr std::int64_t most_wait_s = 600;
constexpr std::chrono::seconds patience{15};

void check_url(const std::string& url) {
  const auto parts = split_url(url);
  if (!parts) throw Error("the URL is no http or https URL with a host");
  if (parts->scheme != "https" && !is_loopback(parts->host)) {
    throw Error("the URL of " + printable(parts->host) + " is not https: what is sent there could be read on the way");
  }
}

std::string without(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    for (std::size_t at = 0; !secret.empty() && (at = text.find(secret, at)) != std::string::npos;) {
      text.replace(at, secret.size(), "[secret]");
    }
  }
  return text;
}

std::string first_words(const std::string& body) { return cut_text(body.substr(0, body.find('\n')), most_said); }

std::int64_t asked_wait_ms(const HttpResponse& response) {
  for (const auto& [name, value] : response.headers) {
    std::int64_t seconds = 0;
    if (name == "retry-after" &&
        std::from_chars(value.data(), value.data() + value.size(), seconds).ec == std::errc()) {
      return std::clamp<std::int64_t>(seconds, 0, most_wait_s) * 1000;
    }
  }
  return 0;
}

SendResult judge(const HttpResponse& response, const Post& post) {
  using State = SendResult::State;
  if (!response.failure.empty()) return {State::later, without(response.failure, post.secrets), 0};
  if (response.status >= 200 && response.status < 300) return {};
  std::string why = "answered " + std::to_string(response.status);
  if (response.status >= 300 && response.status < 400) {
    return {State::later, why + ", a redirect, which is not followed: give the final URL", 0};
  }
  const std::string said = printable(first_words(without(response.body, post.secrets)));
  if (!said.empty()) why += ": " + said;
  const bool never = response.status == 400 || response.status == 413 || response.status == 422;
  return {never ? State::never : State::later, why, asked_wait_ms(response)};
}

}  // namespace

PostAnswer post(const Post& post, const std::atomic<bool>& stop) {
  check_url(post.url);
  const HttpRequest request{.url = post.url,
                            .method = post.method,
                            .headers = post.headers,
                            .body = post.body,
                            .content_type = post.body.empty() ? "" : "application/json",
                            .ca_file = post.ca_file,
                            .stop = &stop};
  HttpResponse response = ask_directly(request, std::chrono::steady_clock::now() + patience);
  return {judge(response, post), response.status, std::move(response.body)};
}

std::string secret_in(const std::string& file, const std::string& what) {
  const auto text = read_small_file(file, most_secret);
  if (!text) throw Error("the file \"" + file + "\" can't be read: expected " + what + " in it, at most 8 KiB");
  constexpr const char* white = " \t\r\n";
  const std::size_t first = text->find_first_not_of(white);
  if (first == std::string::npos) throw Error("the file \"" + file + "\" is empty: expected " + what + " in it");
  std::string secret = text->substr(first, text->find_last_not_of(white) - first + 1);
  if (std::ranges::any_of(secret, [](unsigned char c) { return c < ' ' || c == 127; })) {
    throw Error("the file \"" + file + "\" has several lines or control characters: expected only " + what + " in it");
  }
  return secret;
}

std::string path_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t slash = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  constexpr std::size_t least = 8;
  return slash == std::string::npos || url.size() - slash < least ? "" : url.substr(slash);
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

}  // namespace holdfast
