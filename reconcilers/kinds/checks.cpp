#include <reconcilers/kinds/checks.hpp>

#include <manifests/formats.hpp>
#include <manifests/json.hpp>

#include <array>
#include <string_view>
#include <utility>

namespace holdfast {

namespace {

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with("127.");
}

/// The host in "https://host:443/path", brackets and all; empty where the URL is none that can be asked.
std::string_view host_of_url(std::string_view url) {
  const std::size_t begin = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : std::string_view::npos;
  if (begin == std::string_view::npos) return {};
  const std::string_view authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  if (authority.find('@') != std::string_view::npos) return {};
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool is_printable_ascii(std::string_view text) {
  for (const char letter : text) {
    if (letter <= ' ' || letter > '~') return false;
  }
  return true;
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  const int port = std::stoi(std::string(text));
  return port > 0 && port < 65536;
}

/// An absolute path of a socket, or "host:port".
bool is_address(std::string_view text) {
  if (text.starts_with('/')) return is_absolute_path(text);
  const std::size_t colon = text.rfind(':');
  return colon != std::string_view::npos && colon > 0 && is_port(text.substr(colon + 1)) && is_printable_ascii(text);
}

void check_address(Lowering& to, const std::string& address, const std::string& pointer) {
  if (is_address(address)) return;
  to.problem(pointer, "\"" + address + "\" must be \"address:port\" or the absolute path of a unix socket");
}

std::string decide_from(const Value& written, bool reaches_only_host) {
  return written.text_or("from", reaches_only_host ? "host" : "controller");
}

void refuse_from_controller(Lowering& to, const Value& written, const std::string& address,
                            const std::string& pointer) {
  if (written.text_or("from", "host") != "controller" || !address.starts_with('/')) return;
  to.problem(pointer + "/from", "the unix socket \"" + address + "\" can only be reached with \"from: host\"");
}

Value status_list(const Value& http) {
  const Value* status = http.find("status");
  if (status == nullptr) return List{200};
  return status->is_list() ? *status : Value(List{*status});
}

std::string in_form(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._*";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (plain.find(letter) != std::string_view::npos) {
      encoded += letter;
    } else if (letter == ' ') {
      encoded += '+';
    } else {
      encoded += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return encoded;
}

/// The body of a request and its content type, as plain bytes: whoever asks needs to know no more.
Value sent(const Value& send) {
  if (const Value* json = send.find("json")) return Map{{"type", "application/json"}, {"body", to_json(*json)}};
  if (const Value* text = send.find("text")) return Map{{"type", "text/plain; charset=utf-8"}, {"body", *text}};
  std::string body;
  for (const auto& [name, value] : send.at("form").as_map()) {
    body += (body.empty() ? "" : "&") + in_form(name) + "=" + in_form(to_scalar_text(value));
  }
  return Map{{"type", "application/x-www-form-urlencoded"}, {"body", std::move(body)}};
}

void check_sent(Lowering& to, const Value& http, const std::string& pointer) {
  const std::string method = http.text_or("method", "POST");
  const Value* send = http.find("send");
  if (send == nullptr || (method != "GET" && method != "HEAD" && method != "OPTIONS")) return;
  to.problem(pointer + "/send", "a " + method + " sends nothing", "take \"send\" or \"method\" away");
}

Map http_spec(const Value& http, std::string_view host) {
  Map spec;
  for (const char* same : {"url", "headers", "header", "body", "json", "connect"}) {
    if (const Value* value = http.find(same)) spec[same] = *value;
  }
  const Value* send = http.find("send");
  if (send != nullptr) spec["send"] = sent(*send);
  spec["method"] = http.text_or("method", send == nullptr ? "GET" : "POST");
  spec["status"] = status_list(http);
  spec["within_ms"] = duration_ms(http.text_or("within", "2s"));
  spec["redirects"] = http.int_or("redirects", 0);
  spec["verify_tls"] = http.bool_or("verifyTls", true);
  if (const Value* days = http.find("certificateDays")) spec["certificate_days"] = *days;
  spec["from"] = decide_from(http, http.find("connect") != nullptr || is_loopback(host));
  return spec;
}

void check_json_pointers(Lowering& to, const Value& http, const std::string& pointer) {
  const Value* json = http.find("json");
  if (json == nullptr) return;
  for (const auto& [key, value] : json->as_map()) {
    if (key.empty() || key.starts_with('/')) continue;
    to.problem(pointer_to(pointer + "/json", key), "\"" + key + "\" must be a JSON pointer", "write \"/" + key + "\"");
  }
}

void add_tcp_check(Lowering& to, const Value& tcp, const std::string& pointer) {
  const std::string& address = tcp.at("address").as_text();
  check_address(to, address, pointer + "/address");
  refuse_from_controller(to, tcp, address, pointer);
  const bool local = address.starts_with('/') || is_loopback(std::string_view(address).substr(0, address.rfind(':')));
  to.add_check(pointer, "tcp " + address,
               Map{{"tcp", Map{{"address", address},
                               {"within_ms", duration_ms(tcp.text_or("within", "2s"))},
                               {"from", decide_from(tcp, local)}}}});
}

void add_command_check(Lowering& to, const Value& command, const std::string& pointer) {
  Map spec{{"argv", command.at("argv")},
           {"user", command.text_or("user", "root")},
           {"exit", command.int_or("exit", 0)},
           {"within_ms", duration_ms(command.text_or("within", "10s"))}};
  if (const Value* output = command.find("output")) spec["output"] = *output;
  std::string title = "command";
  for (const std::string& word : command.at("argv").as_texts()) title += " " + word;
  to.add_check(pointer, title, Map{{"command", std::move(spec)}});
}

}  // namespace

void add_http_check(Lowering& to, const Value& http, const std::string& pointer) {
  const std::string& url = http.at("url").as_text();
  const std::string_view host = host_of_url(url);
  if (host.empty() || !is_printable_ascii(url)) {
    to.problem(pointer + "/url", "\"" + url + "\" must be a URL such as \"http://127.0.0.1:5000/health\"",
               "http or https, without an account in it");
  }
  const std::string connect = http.text_or("connect", "");
  if (!connect.empty()) check_address(to, connect, pointer + "/connect");
  if (!connect.empty() && http.text_or("from", "host") == "controller") {
    to.problem(pointer + "/from", "\"connect\" is for checks with \"from: host\"", "take one of them away");
  }
  check_json_pointers(to, http, pointer);
  check_sent(to, http, pointer);
  to.add_check(pointer, "http " + url, Map{{"http", http_spec(http, host)}});
}

void add_unit_check(Lowering& to, const std::string& unit, const std::string& restarts, const std::string& pointer) {
  to.add_check(pointer, "unit " + unit, Map{{"unit", Map{{"name", unit}, {"restarts", restarts}}}});
}

void add_written_check(Lowering& to, const Value& check, const std::string& pointer) {
  const Map& members = check.as_map();
  if (members.size() != 1) {
    to.problem(pointer, "expected exactly one of \"http\", \"tcp\", \"unit\" and \"command\", found " +
                            std::to_string(members.size()));
    return;
  }
  const auto& [type, spec] = *members.begin();
  const std::string inside = pointer_to(pointer, type);
  if (type == "http") add_http_check(to, spec, inside);
  if (type == "tcp") add_tcp_check(to, spec, inside);
  if (type == "command") add_command_check(to, spec, inside);
  if (type == "unit") add_unit_check(to, spec.at("name").as_text(), spec.text_or("restarts", "unmoved"), inside);
}

}  // namespace holdfast
