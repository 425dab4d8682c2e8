#include <reconcilers/kinds/nginx_text.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace holdfast;

namespace {

std::string found(const std::string& text) {
  const auto address = site_address(text);
  return address ? address->connect + " " + address->url : "nothing";
}

}  // namespace

TEST_CASE("a site's address is its first listen under its first usable name", "[kinds][nginx_text]") {
  CHECK(found("server { listen 80; server_name a.example.com b; }") == "127.0.0.1:80 http://a.example.com/");
  CHECK(found("server { listen 80 default_server; server_name _; }") == "127.0.0.1:80 http://localhost/");
  CHECK(found("server{listen *:8080;}") == "127.0.0.1:8080 http://localhost:8080/");
  CHECK(found("server { listen 443 ssl http2; server_name a; }") == "127.0.0.1:443 https://a/");
  CHECK(found("server { listen [::]:80 ipv6only=on; }") == "[::1]:80 http://localhost/");
  CHECK(found("server { listen 10.0.0.5:81; }") == "10.0.0.5:81 http://localhost:81/");
  CHECK(found("server { listen 10.0.0.5; }") == "10.0.0.5:80 http://localhost/");
  CHECK(found("server { listen unix:/run/x.sock; server_name a; }") == "/run/x.sock http://a/");
  CHECK(found("server { server_name *.x .y ~^z z.example.com; listen 80; }") == "127.0.0.1:80 http://z.example.com/");
}

TEST_CASE("comments and quotes do not mislead", "[kinds][nginx_text]") {
  CHECK(found("# x; listen 1;\nserver { # server_name no;\n listen 2; server_name \"yes\"; }") ==
        "127.0.0.1:2 http://yes:2/");
  CHECK(found("server { add_header X \"; listen 1; \"; listen 3; }") == "127.0.0.1:3 http://localhost:3/");
}

TEST_CASE("a text without a usable listen has no address", "[kinds][nginx_text]") {
  for (const char* text : {"", "server { }", "server { listen; }", "server { listen 443 quic; }", "listen \"unclosed",
                           "server { listen $port; }", "listen 10.0.0.1:http;"}) {
    CHECK(found(text) == "nothing");
  }
}
