// E-mail, against a real server on the loopback.
#include "../health/test_server.hpp"
#include "notify_scene.hpp"

#include <controller/git/base64.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

using namespace holdfast;
using namespace holdfast::test;
using Catch::Matchers::Contains;

namespace {

Notification bad_news() {
  return tidy({.id = std::string(32, 'a'),
               .event = "rolled-back",
               .at_ms = 1'795'248'000'000,
               .environment = "production",
               .revision = commit('4'),
               .subject = "Grüße\r\nBcc: everybody@example.com",
               .author = "A Tester",
               .hosts = {"web1"},
               .host_count = 1,
               .reason = "found ä\n.\nQUIT",
               .journal = {"cvd.service | Traceback"}});
}

/// 127.0.0.1, written so that it is not known for this machine, which alone needs no TLS.
constexpr const char* elsewhere = "2130706433";

class MailServer {
 public:
  explicit MailServer(const std::string& mode) : mode_(mode) {
    std::ofstream(folder_.path("password")) << "correct horse";
    if (mode != "plain") {
      Child make({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                  "-keyout", folder_.path("key.pem"), "-out", folder_.path("cert.pem"), "-days", "4", "-subj",
                  "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"});
      REQUIRE(make.wait() == 0);
    }
    const std::string folder = folder_.path("");
    server_.emplace(std::vector<std::string>{"python3", HOLDFAST_SMTP_SERVER, folder, mode});
    const std::string said = server_->read_until("PORT ");
    port_ = said.substr(said.find("PORT ") + 5);
    port_ = port_.substr(0, port_.find('\n'));
  }

  /// The sink of the settings: TLS and a login, but for a plain server.
  [[nodiscard]] SinkSettings sink(const std::string& scheme, const std::string& host, bool trusted = true) const {
    Map to{{"server", scheme + "://" + host + ":" + port_},
           {"from", "holdfast@example.com"},
           {"to", Value::texts({"team@example.com", "boss@example.com"})}};
    if (mode_ != "plain") {
      to["user"] = "holdfast";
      to["passwordFile"] = folder_.path("password");
    }
    if (mode_ != "plain" && trusted) to["caFile"] = folder_.path("cert.pem");
    return {.name = "mail", .type = "mail", .to = std::move(to)};
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream in(folder_.path(name), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_.path(name)) << text; }

 private:
  std::string mode_;
  TempFolder folder_;
  std::optional<Child> server_;
  std::string port_;
};

std::string body_of(const std::string& mail) {
  std::string base64 = mail.substr(mail.find("\r\n\r\n") + 4);
  std::erase_if(base64, [](char c) { return c == '\r' || c == '\n'; });
  return from_base64(base64).value_or("(no base64)");
}

}  // namespace

TEST_CASE("a mail has a head that nobody can add to, and all of the notification", "[notify]") {
  const NotifyScene scene;
  const MailServer server("plain");
  const SendResult result = send_to(server.sink("smtp", "127.0.0.1"), bad_news(), scene.stop);
  REQUIRE(result.why == "");
  const std::string commands = server.read("commands");
  CHECK_THAT(commands, Contains("MAIL FROM:<holdfast@example.com>"));
  CHECK_THAT(commands, Contains("RCPT TO:<team@example.com>\nRCPT TO:<boss@example.com>\nDATA\n"));
  const std::string mail = server.read("mail");
  const std::string head = mail.substr(0, mail.find("\r\n\r\n"));
  CHECK_THAT(head, Contains("From: holdfast@example.com\r\nTo: team@example.com,\r\n boss@example.com\r\n"));
  CHECK_THAT(head, Contains("\r\nDate: Sat, 21 Nov 2026 "));
  CHECK_THAT(head, Contains("\r\nMessage-ID: <" + std::string(32, 'a') + "@example.com>\r\n"));
  CHECK_THAT(head, Contains("\r\nSubject: =?UTF-8?B?"));
  CHECK(head.find("\r\nBcc") == std::string::npos);
  const std::string body = body_of(mail);
  CHECK_THAT(body, Contains("production: rolled back 444444444444 on web1, held: found ä\n"));
  CHECK_THAT(body, Contains("found ä\n.\nQUIT\ncvd.service | Traceback"));
  CHECK_THAT(body, Contains("revision " + commit('4')));
}

TEST_CASE("STARTTLS and TLS are verified before anybody logs in", "[notify]") {
  const NotifyScene scene;
  for (const std::string mode : {"starttls", "tls"}) {
    const MailServer server(mode);
    const std::string scheme = mode == "tls" ? "smtps" : "smtp";
    const SendResult refused = send_to(server.sink(scheme, elsewhere, false), bad_news(), scene.stop);
    CHECK(refused.state == SendResult::State::later);
    CHECK_THAT(refused.why, Contains("certificate"));
    CHECK_THAT(server.read("commands"), !Contains("AUTH"));
    const SendResult taken = send_to(server.sink(scheme, elsewhere), bad_news(), scene.stop);
    CHECK(taken.why == "");
    CHECK_THAT(server.read("commands"), Contains("AUTH"));
    CHECK_THAT(body_of(server.read("mail")), Contains("rolled back"));
  }
}

TEST_CASE("a server elsewhere that offers no TLS is told nothing", "[notify]") {
  const NotifyScene scene;
  const MailServer server("plain");
  const SendResult result = send_to(server.sink("smtp", elsewhere), bad_news(), scene.stop);
  CHECK(result.state == SendResult::State::later);
  CHECK_THAT(result.why, Contains("STARTTLS"));
  CHECK_THAT(server.read("commands"), !Contains("MAIL"));
}

TEST_CASE("a wrong password is tried again and not shown, a refused address is given up", "[notify]") {
  const NotifyScene scene;
  const MailServer server("tls");
  SinkSettings sink = server.sink("smtps", "localhost");
  sink.to["passwordFile"] = scene.file("wrong", "battery staple");
  const SendResult denied = send_to(sink, bad_news(), scene.stop);
  CHECK(denied.state == SendResult::State::later);
  CHECK_THAT(denied.why, !Contains("battery staple"));
  CHECK_FALSE(denied.why.empty());
  sink = server.sink("smtps", "localhost");
  sink.to["to"] = Value::texts({"nobody@example.com"});
  const SendResult gone = send_to(sink, bad_news(), scene.stop);
  CHECK(gone.state == SendResult::State::never);
  CHECK_THAT(gone.why, Contains("550"));
}

TEST_CASE("a mail server that hangs is left soon after the end was asked for", "[notify]") {
  NotifyScene scene;
  const TestServer server([](const std::string&) { return TestServer::hang; });
  const SinkSettings sink{.name = "mail",
                          .type = "mail",
                          .to = Map{{"server", "smtp://" + server.address()},
                                    {"from", "a@example.com"},
                                    {"to", Value::texts({"b@example.com"})}}};
  const auto begun = std::chrono::steady_clock::now();
  const std::jthread end([&scene] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    scene.stop = true;
  });
  CHECK(send_to(sink, bad_news(), scene.stop).state == SendResult::State::later);
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(3));
}
