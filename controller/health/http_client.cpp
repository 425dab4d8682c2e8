#include <controller/health/http_client.hpp>

#include <controller/health/address.hpp>
#include <controller/health/curl_handle.hpp>
#include <controller/health/tunnel.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

namespace holdfast {

namespace {

constexpr std::size_t max_body = 1U << 20U;
constexpr std::size_t max_headers = 64U << 10U;

std::int64_t left_ms(Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::clamp<std::int64_t>(left.count(), 0, 86'400'000);
}

/// One request from its set-up to its answer.
class Exchange {
 public:
  Exchange(const HttpRequest& request, Stream* stream, Deadline deadline);
  HttpResponse run();

 private:
  void set_up(const HttpRequest& request);
  void set_body_and_headers(const HttpRequest& request);
  bool perform();
  /// Carries bytes between curl and the stream until it waits for neither; false once the stream is lost.
  bool carry();
  void wait(std::int64_t at_most_ms);
  HttpResponse result();
  void read_certificate();

  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self);
  static curl_socket_t open_direct(void* self, curlsocktype purpose, curl_sockaddr* address);

  Deadline deadline_;
  const std::atomic<bool>* stop_;
  std::optional<Tunnel> tunnel_;  // none: directly
  std::array<char, CURL_ERROR_SIZE> error_{};
  CurlStrings headers_;
  CurlStrings connect_to_;
  CurlMulti multi_;
  CurlEasy easy_;
  HttpResponse response_;
  std::size_t header_bytes_ = 0;
  std::string refused_;  // an address that is not asked
  CURLcode code_ = CURLE_OK;
};

Exchange::Exchange(const HttpRequest& request, Stream* stream, Deadline deadline)
    : deadline_(deadline), stop_(request.stop) {
  if (stream != nullptr) tunnel_.emplace(*stream);
  start_curl();
  multi_.reset(curl_multi_init());
  easy_.reset(curl_easy_init());
  if (!multi_ || !easy_) throw Error("out of memory");
  set_up(request);
  set_body_and_headers(request);
}

void Exchange::set_up(const HttpRequest& request) {
  CURL* easy = easy_.get();
  curl_set(easy, CURLOPT_URL, request.url.c_str());
  curl_set(easy, CURLOPT_NOSIGNAL, 1L);
  curl_set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_set(easy, CURLOPT_PROXY, "");  // never the environment's
  curl_set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, left_ms(deadline_))));
  curl_set(easy, CURLOPT_QUICK_EXIT, 1L);  // a resolver that hangs does not hold us
  curl_set(easy, CURLOPT_FORBID_REUSE, 1L);
  curl_set(easy, CURLOPT_ERRORBUFFER, error_.data());
  curl_set(easy, CURLOPT_SSL_VERIFYPEER, request.verify_tls ? 1L : 0L);
  curl_set(easy, CURLOPT_SSL_VERIFYHOST, request.verify_tls ? 2L : 0L);
  curl_set(easy, CURLOPT_CERTINFO, 1L);
  if (!request.ca_file.empty()) curl_set(easy, CURLOPT_CAINFO, request.ca_file.c_str());
  if (request.connect_only) curl_set(easy, CURLOPT_CONNECT_ONLY, 1L);
  if (tunnel_) {
    curl_set(easy, CURLOPT_ABSTRACT_UNIX_SOCKET, tunnel_->name().c_str());
    return;
  }
  curl_set(easy, CURLOPT_OPENSOCKETFUNCTION, &Exchange::open_direct);
  curl_set(easy, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  if (!request.connect.empty()) curl_add(connect_to_, "::" + request.connect);
  if (connect_to_) curl_set(easy, CURLOPT_CONNECT_TO, connect_to_.get());
}

void Exchange::set_body_and_headers(const HttpRequest& request) {
  CURL* easy = easy_.get();
  curl_set(easy, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  curl_set(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
  curl_set(easy, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  curl_set(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
  if (request.method == "HEAD") {
    curl_set(easy, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    curl_set(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_set(easy, CURLOPT_COPYPOSTFIELDS, request.body.c_str());
    curl_set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_add(headers_, "Expect:");  // a small body needs no leave
    curl_add(headers_, "Content-Type:" + (request.content_type.empty() ? "" : " " + request.content_type));
  }
  curl_add(headers_, "User-Agent: holdfast");
  for (const auto& [name, value] : request.headers)
    curl_add(headers_, value.empty() ? name + ";" : name + ": " + value);
  curl_set(easy, CURLOPT_HTTPHEADER, headers_.get());
}

std::size_t Exchange::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  HttpResponse& response = exchange.response_;
  const std::size_t offered = size * count;
  const std::size_t taken = std::min(offered, max_body - response.body.size());
  response.body.append(bytes, taken);
  response.cut = taken < offered;
  return taken;  // less than offered ends the transfer
}

std::size_t Exchange::on_header(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::size_t length = size * count;
  exchange.header_bytes_ += length;
  if (exchange.header_bytes_ > max_headers) return 0;
  std::string_view line(bytes, length);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) exchange.response_.headers.clear();  // what an interim answer said does not count
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || line.starts_with("HTTP/")) return length;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  line.remove_prefix(colon + 1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  exchange.response_.headers.emplace_back(std::move(name), std::string(line));
  return length;
}

curl_socket_t Exchange::open_direct(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
  if (auto refused = refuse_address(address->addr)) {
    static_cast<Exchange*>(self)->refused_ = *refused;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// False once the transfer is over.
bool Exchange::perform() {
  int running = 0;
  if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) {
    code_ = CURLE_FAILED_INIT;
    return false;
  }
  int queued = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &queued)) {
    if (message->msg != CURLMSG_DONE) continue;
    code_ = message->data.result;
    return false;
  }
  return running > 0;
}

bool Exchange::carry() {
  try {
    if (tunnel_->carry_out(deadline_)) return true;
    // curl sent all it has; only a timer that is due now could make it send more before it is answered.
    long timer = -1;
    curl_multi_timeout(multi_.get(), &timer);
    if (timer == 0) return true;
    if (tunnel_->ended()) {
      wait(100);
    } else if (!tunnel_->carry_in(deadline_)) {
      wait(10);
    }
    return true;
  } catch (const Error& error) {
    response_.timed_out = left_ms(deadline_) == 0;
    response_.failure = response_.timed_out ? "no answer in time" : printable(error.what());
    return false;
  }
}

void Exchange::wait(std::int64_t at_most_ms) {
  curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(std::min(at_most_ms, left_ms(deadline_))), nullptr);
}

HttpResponse Exchange::run() {
  curl_multi_add_handle(multi_.get(), easy_.get());
  bool carrying = true;
  while (carrying && perform()) {
    if (!tunnel_) {
      wait(stop_ == nullptr ? 1'000 : 200);
      if (stop_ != nullptr && stop_->load()) response_.failure = "given up: holdfast is ending";
      carrying = response_.failure.empty();
    } else {
      carrying = carry();
    }
  }
  HttpResponse response = result();
  curl_multi_remove_handle(multi_.get(), easy_.get());
  return response;
}

HttpResponse Exchange::result() {
  if (!response_.failure.empty()) return std::move(response_);
  if (code_ != CURLE_OK && !(code_ == CURLE_WRITE_ERROR && response_.cut)) {
    response_.timed_out = code_ == CURLE_OPERATION_TIMEDOUT;
    const std::string said = error_[0] != '\0' ? error_.data() : curl_easy_strerror(code_);
    response_.failure = !refused_.empty() ? refused_ : printable(said);
    if (header_bytes_ > max_headers) response_.failure = "more than 64 KiB of headers";
    return std::move(response_);
  }
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  char* redirect = nullptr;
  curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) response_.redirect = redirect;
  read_certificate();
  return std::move(response_);
}

void Exchange::read_certificate() {
  constexpr std::string_view label = "Expire date:";
  curl_certinfo* chain = nullptr;
  if (curl_easy_getinfo(easy_.get(), CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr) return;
  if (chain->num_of_certs < 1) return;
  for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
    const std::string_view text = line->data;
    if (!text.starts_with(label)) continue;
    const std::time_t expires = curl_getdate(line->data + label.size(), nullptr);
    if (expires >= 0) response_.certificate_expires = expires;
    return;
  }
}

HttpResponse ask(const HttpRequest& request, Stream* stream, Deadline deadline) {
  try {
    return Exchange(request, stream, deadline).run();
  } catch (const Error& error) {
    HttpResponse response;
    response.failure = error.what();
    return response;
  }
}

}  // namespace

std::optional<UrlParts> split_url(const std::string& url) {
  const CurlUrl parsed(curl_url());
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return std::nullopt;
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return std::string();
    return std::string(CurlText(text).get());
  };
  UrlParts parts{.scheme = part(CURLUPART_SCHEME), .host = part(CURLUPART_HOST)};
  const std::string port = part(CURLUPART_PORT);
  if ((parts.scheme != "http" && parts.scheme != "https") || parts.host.empty() || port.empty()) return std::nullopt;
  parts.port = std::stoi(port);  // curl checked it: 1 to 5 digits, at most 65535
  if (parts.host.front() == '[') parts.host = parts.host.substr(1, parts.host.size() - 2);
  return parts;
}

HttpResponse ask_through(const HttpRequest& request, Stream& stream, Deadline deadline) {
  return ask(request, &stream, deadline);
}

HttpResponse ask_directly(const HttpRequest& request, Deadline deadline) { return ask(request, nullptr, deadline); }

}  // namespace holdfast
