#include <controller/health/http_expect.hpp>

#include <controller/health/match.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t max_json_depth = 32;

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

/// "200 or 204", "200 to 599": neighbours are told as a range.
std::string codes_text(std::vector<std::int64_t> codes) {
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  std::string text;
  for (std::size_t first = 0; first < codes.size();) {
    std::size_t last = first;
    while (last + 1 < codes.size() && codes[last + 1] == codes[last] + 1) ++last;
    if (last < first + 2) last = first;
    text += (text.empty() ? "" : " or ") + std::to_string(codes[first]);
    if (last > first) text += " to " + std::to_string(codes[last]);
    first = last + 1;
  }
  return text;
}

/// The codes that are right; every success where the check names none.
std::vector<std::int64_t> wanted_codes(const Value& http) {
  std::vector<std::int64_t> codes;
  if (const Value* status = http.find("status"); status != nullptr) {
    for (const Value& code : status->as_list()) codes.push_back(code.as_int());
  } else {
    for (std::int64_t code = 200; code < 300; ++code) codes.push_back(code);
  }
  return codes;
}

std::optional<std::string> status_shortfall(const Value& http, const HttpResponse& response) {
  const std::vector<std::int64_t> codes = wanted_codes(http);
  if (std::find(codes.begin(), codes.end(), response.status) != codes.end()) return std::nullopt;
  const std::string found = "expected status " + codes_text(codes) + ", found " + std::to_string(response.status);
  if (!response.redirect.empty()) return found + " to " + excerpt(response.redirect);
  return found + ": " + excerpt(response.body);
}

std::optional<std::string> header_shortfall(const std::string& name, const Value& expected,
                                            const HttpResponse& response) {
  std::optional<std::string> shortfall = "expected header \"" + printable(name) + "\", found none";
  for (const auto& [found, value] : response.headers) {
    if (found != lower_case(name)) continue;
    shortfall = text_shortfall("header \"" + printable(name) + "\"", expected, value);
    if (!shortfall) return std::nullopt;
  }
  return shortfall;
}

std::string array_index(std::string_view token) {
  const bool digits = !token.empty() && token.size() <= 9 &&
                      std::all_of(token.begin(), token.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && (token == "0" || token.front() != '0') ? std::string(token) : std::string();
}

std::string unescaped(std::string_view token) {
  std::string text;
  for (std::size_t place = 0; place < token.size(); ++place) {
    const bool escape = token[place] == '~' && place + 1 < token.size();
    if (escape && (token[place + 1] == '0' || token[place + 1] == '1')) {
      text += token[++place] == '0' ? '~' : '/';
    } else {
      text += token[place];
    }
  }
  return text;
}

bool is_number(const Value& value) { return value.type() == Value::Type::integer || value.type() == Value::Type::real; }

bool equal(const Value& a, const Value& b) {
  if (is_number(a) && is_number(b) && a.type() != b.type()) return a.as_real() == b.as_real();
  return a == b;
}

std::optional<std::string> json_shortfall(const Value& json, const HttpResponse& response) {
  if (response.cut) return "expected JSON, found a body of more than 1 MiB";
  Value document;
  try {
    document = from_json(response.body, {.bytes = response.body.size(), .depth = max_json_depth});
  } catch (const Error&) {
    return "expected JSON of at most " + std::to_string(max_json_depth) + " levels, found " + excerpt(response.body);
  }
  for (const auto& [pointer, wanted] : json.as_map()) {
    const Value* found = json_at(document, pointer);
    if (found != nullptr && equal(*found, wanted)) continue;
    const std::string said = found == nullptr ? "no such member" : excerpt(to_json(*found));
    return "expected \"" + printable(pointer) + "\" to be " + printable(to_json(wanted)) + ", found " + said;
  }
  return std::nullopt;
}

std::optional<std::string> certificate_shortfall(std::int64_t wanted_days, const HttpResponse& response,
                                                 std::int64_t now) {
  const std::string wanted = "expected a certificate for " + std::to_string(wanted_days) + " more days, found ";
  if (!response.certificate_expires) return wanted + "none";
  const std::int64_t left = *response.certificate_expires - now;
  if (left >= wanted_days * 86'400) return std::nullopt;
  return wanted + (left < 0 ? "an expired one" : std::to_string(left / 86'400));
}

}  // namespace

const Value* json_at(const Value& document, std::string_view pointer) {
  const Value* at = &document;
  while (!pointer.empty()) {
    if (pointer.front() != '/') return nullptr;
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string_view token = pointer.substr(0, end);
    pointer.remove_prefix(end);
    if (at->is_map()) {
      const auto member = at->as_map().find(unescaped(token));
      if (member == at->as_map().end()) return nullptr;
      at = &member->second;
    } else if (at->is_list()) {
      const std::string index = array_index(token);
      if (index.empty() || std::stoul(index) >= at->as_list().size()) return nullptr;
      at = &at->as_list()[std::stoul(index)];
    } else {
      return nullptr;
    }
  }
  return at;
}

std::optional<std::string> http_shortfall(const Value& http, const HttpResponse& response, std::int64_t now) {
  if (auto shortfall = status_shortfall(http, response)) return shortfall;
  if (const Value* headers = http.find("header"); headers != nullptr) {
    for (const auto& [name, expected] : headers->as_map()) {
      if (auto shortfall = header_shortfall(name, expected, response)) return shortfall;
    }
  }
  if (const Value* body = http.find("body"); body != nullptr) {
    if (auto shortfall = text_shortfall("the body", *body, response.body)) return shortfall;
  }
  if (const Value* json = http.find("json"); json != nullptr) {
    if (auto shortfall = json_shortfall(*json, response)) return shortfall;
  }
  if (const Value* days = http.find("certificate_days"); days != nullptr) {
    return certificate_shortfall(days->as_int(), response, now);
  }
  return std::nullopt;
}

}  // namespace holdfast
