#include <controller/health/sample_parts.hpp>

#include <controller/health/dialled.hpp>
#include <controller/health/http_client.hpp>
#include <controller/health/http_expect.hpp>
#include <controller/health/match.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <ctime>

namespace holdfast {

namespace {

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_token(std::string_view text) {
  constexpr std::string_view separators = "()<>@,;:\\\"/[]?={} ";
  return !text.empty() && !has_control(text) && text.find_first_of(separators) == std::string_view::npos;
}

bool is_ip_literal(const std::string& host) {
  return host.find(':') != std::string::npos || host.find_first_not_of("0123456789.") == std::string::npos;
}

std::string refuse_request(const Value& http) {
  const std::string& url = http.at("url").as_text();
  if (has_control(url) || !split_url(url)) return "\"" + printable(url) + "\" is not an http or https URL";
  if (!is_token(http.text_or("method", "GET"))) return "the method is not a word";
  const Value* send = http.find("send");
  if (send != nullptr && has_control(send->text_or("type", ""))) return "the content type has control characters";
  if (const Value* headers = http.find("headers"); headers != nullptr) {
    for (const auto& [name, value] : headers->as_map()) {
      if (!is_token(name)) return "header name \"" + printable(name) + "\" has characters that no header may have";
      if (has_control(value.as_text())) return "the value of header \"" + printable(name) + "\" has control characters";
    }
  }
  return {};
}

HttpRequest request_of(const Value& http) {
  HttpRequest request{.url = http.at("url").as_text(),
                      .method = http.text_or("method", "GET"),
                      .verify_tls = http.bool_or("verify_tls", true),
                      .ca_file = http.text_or("ca_file", ""),
                      .connect = http.text_or("connect", "")};
  if (const Value* headers = http.find("headers"); headers != nullptr) {
    for (const auto& [name, value] : headers->as_map()) request.headers[name] = value.as_text();
  }
  if (const Value* send = http.find("send"); send != nullptr) {
    request.body = send->at("body").as_text();
    request.content_type = send->at("type").as_text();
  }
  return request;
}

/// Where the host connects for a URL; empty where only it could resolve the name, which it is not asked to.
std::string dial_address(const HttpRequest& request, const UrlParts& url) {
  if (!request.connect.empty()) return request.connect;
  if (url.host != "localhost" && !is_ip_literal(url.host)) return {};
  const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  return host + ":" + std::to_string(url.port);
}

HttpResponse ask_from_host(const HttpRequest& request, const UrlParts& url, HostProbe& probe, const Limit& limit) {
  HttpResponse response;
  const std::string address = dial_address(request, url);
  if (address.empty()) {
    response.failure = "the host is not asked to resolve \"" + printable(url.host) + "\": say `connect: ADDRESS:PORT`";
    return response;
  }
  const Dialled dialled = dial_answered(probe, address, limit.latest);
  if (dialled.stream) return ask_through(request, *dialled.stream, limit.latest);
  response.timed_out = dialled.timed_out;
  response.failure = "no connection to \"" + printable(address) + "\": " + dialled.refused;
  return response;
}

HttpResponse ask_from_controller(const HttpRequest& request, const Limit& limit) {
  if (!request.connect.starts_with("/")) return ask_directly(request, limit.latest);
  HttpResponse response;
  response.failure = "a unix socket can only be reached with `from: host`";
  return response;
}

/// The next hop: what was sent goes on to the same place only, a POST becomes a GET as browsers have it, and an address
/// given by `connect` stays while the port follows the URL's.
void redirect(HttpRequest& request, const UrlParts& from, const HttpResponse& response) {
  const auto to = split_url(response.redirect);
  const bool same = to && to->scheme == from.scheme && to->host == from.host && to->port == from.port;
  if (!same) request.headers.clear();
  const bool keeps_method = response.status == 307 || response.status == 308 || request.method == "HEAD";
  if (!keeps_method) request.method = "GET";
  if (!same || !keeps_method) request.body = request.content_type = "";
  if (to && to->port != from.port && !request.connect.starts_with("/")) {
    if (const std::size_t colon = request.connect.rfind(':'); colon != std::string::npos) {
      request.connect = request.connect.substr(0, colon) + ":" + std::to_string(to->port);
    }
  }
  request.url = response.redirect;
}

}  // namespace

Shortfall ask_http(const Value& http, HostProbe& probe, const Limit& limit) {
  if (std::string refused = refuse_request(http); !refused.empty()) return refused;
  HttpRequest request = request_of(http);
  const std::int64_t redirects = http.int_or("redirects", 0);
  for (std::int64_t hop = 0;; ++hop) {
    const auto url = split_url(request.url);
    if (!url || has_control(request.url)) return "expected a redirect to http or https, found " + excerpt(request.url);
    const HttpResponse response =
        from_controller(http) ? ask_from_controller(request, limit) : ask_from_host(request, *url, probe, limit);
    if (response.timed_out) return limit.hung();
    if (!response.failure.empty()) return response.failure;
    if (response.redirect.empty() || redirects == 0) {
      const auto shortfall = http_shortfall(http, response, std::time(nullptr));
      return shortfall ? *shortfall : limit.overrun();
    }
    if (hop == redirects) return "redirected more than " + std::to_string(redirects) + " times";
    redirect(request, *url, response);
  }
}

std::string refuse_check(const Check& check) {
  const auto refuse_text = [](const Value* expected) -> std::string {
    const Value* matches = expected == nullptr ? nullptr : expected->find("matches");
    return matches == nullptr ? "" : refuse_pattern(matches->as_text()).value_or("");
  };
  if (const Value* command = check.spec.find("command"); command != nullptr)
    return refuse_text(command->find("output"));
  const Value* http = check.spec.find("http");
  if (http == nullptr) return {};
  if (std::string refused = refuse_request(*http); !refused.empty()) return refused;
  const std::string& url = http->at("url").as_text();
  if (!from_controller(*http) && dial_address(request_of(*http), *split_url(url)).empty()) {
    return "the host is not asked to resolve the name in \"" + printable(url) + "\": say `connect: ADDRESS:PORT`";
  }
  return refuse_text(http->find("body"));
}

}  // namespace holdfast
