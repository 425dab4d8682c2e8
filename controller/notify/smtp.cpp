#include <controller/notify/smtp.hpp>

#include <controller/health/address.hpp>
#include <controller/health/curl_handle.hpp>
#include <controller/notify/post.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

constexpr long patience_ms = 15'000;

/// What curl's callbacks need while one mail goes out.
struct Outgoing {
  const std::string* text = nullptr;
  std::size_t sent = 0;
  const std::atomic<bool>* stop = nullptr;
  std::string refused{};  // an address that is not asked
};

std::size_t read_text(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& outgoing = *static_cast<Outgoing*>(self);
  const std::size_t taken = outgoing.text->copy(bytes, size * count, outgoing.sent);
  outgoing.sent += taken;
  return taken;
}

int on_progress(void* self, curl_off_t /*a*/, curl_off_t /*b*/, curl_off_t /*c*/, curl_off_t /*d*/) {
  return static_cast<Outgoing*>(self)->stop->load() ? 1 : 0;
}

curl_socket_t open_socket(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
  if (auto refused = refuse_address(address->addr)) {
    static_cast<Outgoing*>(self)->refused = *refused;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// The host of "smtp://host:port"; the scheme decides about TLS.
std::string host_of(const std::string& server) {
  const std::size_t from = server.find("://") + 3;
  if (server[from] == '[') return server.substr(from + 1, server.find(']', from) - from - 1);
  return server.substr(from, server.find_first_of(":/", from) - from);
}

void set_up(CURL* easy, const Mail& mail, Outgoing& outgoing) {
  const bool plain = mail.server.starts_with("smtp://") && is_loopback(host_of(mail.server));
  curl_set(easy, CURLOPT_URL, mail.server.c_str());
  curl_set(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_set(easy, CURLOPT_PROXY, "");  // never the environment's
  curl_set(easy, CURLOPT_NOSIGNAL, 1L);
  curl_set(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_set(easy, CURLOPT_TIMEOUT_MS, patience_ms);
  curl_set(easy, CURLOPT_USE_SSL, plain ? static_cast<long>(CURLUSESSL_NONE) : static_cast<long>(CURLUSESSL_ALL));
  curl_set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!mail.ca_file.empty()) curl_set(easy, CURLOPT_CAINFO, mail.ca_file.c_str());
  if (!mail.user.empty()) {
    curl_set(easy, CURLOPT_USERNAME, mail.user.c_str());
    curl_set(easy, CURLOPT_PASSWORD, mail.password.c_str());
  }
  curl_set(easy, CURLOPT_UPLOAD, 1L);
  curl_set(easy, CURLOPT_READFUNCTION, &read_text);
  curl_set(easy, CURLOPT_READDATA, static_cast<void*>(&outgoing));
  curl_set(easy, CURLOPT_NOPROGRESS, 0L);
  curl_set(easy, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_set(easy, CURLOPT_XFERINFODATA, static_cast<void*>(&outgoing));
  curl_set(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  curl_set(easy, CURLOPT_OPENSOCKETDATA, static_cast<void*>(&outgoing));
}

/// 550 to 554 are about this mail; other refusals (who we are, how we logged in) are put right by a person.
SendResult judge(CURL* easy, CURLcode code, const std::string& said, const Outgoing& outgoing) {
  using State = SendResult::State;
  if (code == CURLE_OK) return {};
  if (outgoing.stop->load()) return {State::later, "given up: holdfast is ending", 0};
  if (!outgoing.refused.empty()) return {State::later, outgoing.refused, 0};
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  std::string why = printable(said.empty() ? curl_easy_strerror(code) : said);
  if (status >= 400) why = "answered " + std::to_string(status) + ": " + why;
  const bool about_the_mail = status >= 550 && status <= 554 && code != CURLE_LOGIN_DENIED;
  return {about_the_mail ? State::never : State::later, why, 0};
}

}  // namespace

SendResult send_by_smtp(const Mail& mail, const std::atomic<bool>& stop) {
  start_curl();
  const CurlEasy easy(curl_easy_init());
  if (!easy) throw Error("out of memory");
  Outgoing outgoing{.text = &mail.text, .stop = &stop};
  std::array<char, CURL_ERROR_SIZE> said{};
  CurlStrings recipients;
  for (const std::string& one : mail.to) curl_add(recipients, "<" + one + ">");
  set_up(easy.get(), mail, outgoing);
  const std::string sender = "<" + mail.from + ">";
  curl_set(easy.get(), CURLOPT_MAIL_FROM, sender.c_str());
  curl_set(easy.get(), CURLOPT_MAIL_RCPT, recipients.get());
  curl_set(easy.get(), CURLOPT_ERRORBUFFER, said.data());
  const CURLcode code = curl_easy_perform(easy.get());
  return judge(easy.get(), code, said.data(), outgoing);
}

}  // namespace holdfast
