#include <controller/health/address.hpp>
#include <controller/health/http_expect.hpp>
#include <controller/health/match.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <chrono>

using namespace holdfast;

namespace {

bool refused(const std::string& text) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    return refuse_address(reinterpret_cast<const sockaddr&>(v4)).has_value();
  }
  REQUIRE(inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1);
  return refuse_address(reinterpret_cast<const sockaddr&>(v6)).has_value();
}

}  // namespace

TEST_CASE("the controller never asks link-local and metadata addresses", "[health]") {
  for (const char* address : {"169.254.169.254", "169.254.0.1", "100.100.100.200", "fe80::1", "fd00:ec2::254",
                              "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "::169.254.169.254"}) {
    CHECK(refused(address));
  }
  for (const char* address : {"127.0.0.1", "192.0.2.1", "169.253.0.1", "169.255.0.1", "::1", "2001:db8::1",
                              "::ffff:192.0.2.1", "100.100.100.201"}) {
    CHECK_FALSE(refused(address));
  }
}

TEST_CASE("a text is told by its first 200 characters, fit for a terminal", "[health]") {
  CHECK(excerpt("") == "nothing");
  CHECK(excerpt("short") == "\"short\"");
  CHECK(excerpt("\r\n a\n\tb \n") == "\"a b\"");
  CHECK(excerpt(std::string(300, 'x')) == "\"" + std::string(200, 'x') + "…\"");
  CHECK(excerpt("a\x1b[31mb").find('\x1b') == std::string::npos);
  std::string umlauts;
  for (int i = 0; i < 250; ++i) umlauts += "ü";
  CHECK(excerpt(umlauts) == "\"" + umlauts.substr(0, 400) + "…\"");
}

TEST_CASE("text is compared, searched and matched", "[health]") {
  CHECK_FALSE(text_shortfall("x", "ok", "ok"));
  CHECK(text_shortfall("header \"A\"", "ok", "no") == "expected header \"A\" to be \"ok\", found \"no\"");
  CHECK_FALSE(text_shortfall("x", Map{{"contains", "all fine"}}, "it is all fine here"));
  CHECK(text_shortfall("the body", Map{{"contains", "ok"}}, "") ==
        "expected the body to contain \"ok\", found nothing");
  CHECK_FALSE(text_shortfall("x", Map{{"matches", "version [0-9]+"}}, "this is version 12"));
  CHECK(text_shortfall("x", Map{{"matches", "^version [0-9]+$"}}, "this is version 12"));
  CHECK_FALSE(text_shortfall("x", Map{{"matches", "^version [0-9]+$"}}, "this is\nversion 12\n"));
  CHECK(text_shortfall("x", Map{{"matches", "("}}, "(")->find("is not valid") != std::string::npos);
}

TEST_CASE("a pattern costs linear time and no stack on any text", "[health]") {
  const std::string text(1U << 20U, 'a');
  const auto begun = std::chrono::steady_clock::now();
  CHECK(text_shortfall("x", Map{{"matches", "(a+)+$x"}}, text));
  CHECK(text_shortfall("x", Map{{"matches", "(a|a)*b"}}, text));
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(10));
  CHECK(refuse_pattern(std::string(1'001, 'a')));
  CHECK(refuse_pattern("(?:a{1000}){1000}"));
  CHECK_FALSE(refuse_pattern("^ok$"));
}

TEST_CASE("milliseconds are told in groups of three digits", "[health]") {
  CHECK(milliseconds_text(7) == "7 ms");
  CHECK(milliseconds_text(999) == "999 ms");
  CHECK(milliseconds_text(2'340) == "2,340 ms");
  CHECK(milliseconds_text(1'234'567) == "1,234,567 ms");
}

TEST_CASE("a JSON pointer finds what RFC 6901 says", "[health]") {
  const Value document =
      from_json(R"({"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, "~1": 9, "deep": {"er": [{"x": 5}]}})");
  CHECK(*json_at(document, "") == document);
  CHECK(*json_at(document, "/foo/0") == Value("bar"));
  CHECK(*json_at(document, "/") == Value(0));
  CHECK(*json_at(document, "/a~1b") == Value(1));
  CHECK(*json_at(document, "/m~0n") == Value(8));
  CHECK(*json_at(document, "/~01") == Value(9));
  CHECK(*json_at(document, "/deep/er/0/x") == Value(5));
  for (const char* none : {"foo", "/nope", "/foo/2", "/foo/-", "/foo/01", "/foo/0/x", "/foo/99999999999999999999"}) {
    CHECK(json_at(document, none) == nullptr);
  }
}
