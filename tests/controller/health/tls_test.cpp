#include "local_probe.hpp"
#include "test_server.hpp"

#include <catch2/catch.hpp>

#include <optional>

using namespace holdfast;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

/// A real TLS server with a certificate of its own for cvd.example.com that is valid for 40 days.
class TlsServer {
 public:
  TlsServer() : certificate_(folder_.path("cert.pem")) {
    Child make({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", folder_.path("key.pem"), "-out", certificate_, "-days", "40", "-subj", "/CN=cvd.example.com",
                "-addext", "subjectAltName=DNS:cvd.example.com"});
    REQUIRE(make.wait() == 0);
    server_.emplace(std::vector<std::string>{"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate_,
                                             "-key", folder_.path("key.pem"), "-www"});
    const std::string said = server_->read_until("ACCEPT");
    address_ = said.substr(said.find("ACCEPT ") + 7);
    address_ = address_.substr(0, address_.find('\n'));
  }

  [[nodiscard]] Map check() const {
    return {
        {"url", "https://cvd.example.com/"}, {"connect", address_}, {"within_ms", 5'000}, {"ca_file", certificate_}};
  }

 private:
  TempFolder folder_;
  std::string certificate_;
  std::optional<Child> server_;
  std::string address_;
};

Sample ask(const Map& base, const Map& more) {
  LocalProbe probe;
  std::map<std::string, std::int64_t> restarts;
  return sample({.name = "tls", .spec = Map{{"http", overlay(base, more)}}}, probe, restarts);
}

}  // namespace

TEST_CASE("a certificate is verified, for its name, through the connection to the host", "[health]") {
  const TlsServer server;
  CHECK(ask(server.check(), {}).detail == "");
  CHECK(ask(server.check(), {{"body", Map{{"contains", "TLSv1.3"}}}}).detail == "");
  CHECK_THAT(ask(server.check(), {{"url", "https://other.example.com/"}}).detail, Contains("other.example.com"));
  CHECK_THAT(ask(server.check(), {{"ca_file", ""}}).detail, Contains("self-signed certificate"));
  CHECK(ask(server.check(), {{"ca_file", ""}, {"verify_tls", false}}).passed);
  CHECK(ask(server.check(), {{"url", "https://other.example.com/"}, {"verify_tls", false}}).passed);
  CHECK(ask(server.check(), {{"from", "controller"}}).detail == "");
}

TEST_CASE("the days that a certificate is still valid are counted", "[health]") {
  const TlsServer server;
  CHECK(ask(server.check(), {{"certificate_days", 30}}).detail == "");
  const std::string detail = ask(server.check(), {{"certificate_days", 41}}).detail;
  CHECK_THAT(detail, StartsWith("expected a certificate for 41 more days, found 39") || EndsWith("found 40"));
  CHECK(ask(server.check(), {{"certificate_days", 30}, {"verify_tls", false}}).passed);

  SECTION("and a server without one has none") {
    const TestServer plain([](const std::string&) { return http_answer(200, ""); });
    CHECK(ask({{"url", plain.url("/")}}, {{"certificate_days", 30}}).detail ==
          "expected a certificate for 30 more days, found none");
  }
}

TEST_CASE("TLS with a server that speaks something else is a sample that did not pass", "[health]") {
  const TestServer plain([](const std::string&) { return http_answer(200, ""); });
  const Map check{{"url", "https://" + plain.address() + "/"}, {"within_ms", 300}};
  CHECK_FALSE(ask(check, {}).passed);
  const TlsServer server;
  CHECK_FALSE(ask(server.check(), {{"url", "http://cvd.example.com/"}}).passed);
}
