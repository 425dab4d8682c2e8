#include "lowered_host.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

std::string check(const std::string& spec) { return manifest("HealthCheck", "c", spec); }

}  // namespace

TEST_CASE("an http check gets its defaults, milliseconds and lists", "[kinds][health_check]") {
  const LoweredHost host = lower_host(
      check("{http: {url: \"http://127.0.0.1:5000/health\", status: 200, json: {/status: healthy}, within: 500ms}}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  const Check& found = host.check("HealthCheck/c http http://127.0.0.1:5000/health");
  CHECK(found.spec == Value(Map{{"http", Map{{"url", "http://127.0.0.1:5000/health"},
                                             {"method", "GET"},
                                             {"status", List{200}},
                                             {"json", Map{{"/status", "healthy"}}},
                                             {"within_ms", 500},
                                             {"redirects", 0},
                                             {"verify_tls", true},
                                             {"from", "host"}}}}));
  CHECK(found.origin.resource == "HealthCheck/c");
  CHECK(found.origin.position.line == 5);
}

TEST_CASE("what is sent becomes bytes and a type, and makes the request a POST", "[kinds][health_check]") {
  const auto spec = [](const std::string& more) {
    const LoweredHost host = lower_host(check("{http: {url: \"http://localhost/login\", " + more + "}}"));
    INFO(host.report());
    REQUIRE(host.problems.empty());
    return host.lowered.checks.at(0).spec.at("http");
  };
  const Value form = spec("send: {form: {name: \"a&b \\u00e9\", n: 4}}");
  CHECK(form.at("send") ==
        Value(Map{{"type", "application/x-www-form-urlencoded"}, {"body", "n=4&name=a%26b+%C3%A9"}}));
  CHECK(form.at("method") == Value("POST"));
  CHECK(spec("method: PUT, send: {json: {a: [1]}}").at("send").at("body") == Value("{\"a\":[1]}"));
  CHECK(spec("send: {text: hello}").at("send").at("type") == Value("text/plain; charset=utf-8"));
  const std::string report =
      lower_host(check("{http: {url: \"http://localhost/\", method: GET, send: {text: x}}}")).report();
  CHECK(report.find("a GET sends nothing") != std::string::npos);
}

TEST_CASE("who asks follows from where it asks", "[kinds][health_check]") {
  const auto from = [](const std::string& type, const std::string& spec) {
    return lower_host(check("{" + type + ": {" + spec + "}}")).lowered.checks.at(0).spec.at(type).at("from").as_text();
  };
  CHECK(from("http", "url: \"http://localhost/\"") == "host");
  CHECK(from("http", "url: \"http://[::1]:80/\"") == "host");
  CHECK(from("http", "url: \"https://cvd.example.com/\"") == "controller");
  CHECK(from("http", "url: \"https://cvd.example.com/\", from: host") == "host");
  CHECK(from("http", "url: \"https://cvd.example.com/\", connect: \"127.0.0.1:443\"") == "host");
  CHECK(from("tcp", "address: \"127.0.0.1:5432\"") == "host");
  CHECK(from("tcp", "address: \"[::1]:5432\"") == "host");
  CHECK(from("tcp", "address: /run/redis.sock") == "host");
  CHECK(from("tcp", "address: \"10.0.0.5:5432\"") == "controller");
}

TEST_CASE("unit and command checks are told in full", "[kinds][health_check]") {
  const LoweredHost host = lower_host(
      check("{unit: {name: cron.service}}") +
      manifest("HealthCheck", "d", "{command: {argv: [test, -f, /x], exit: 1, output: {contains: ok}, within: 3s}}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.check("HealthCheck/c unit cron.service").spec ==
        Value(Map{{"unit", Map{{"name", "cron.service"}, {"restarts", "unmoved"}}}}));
  CHECK(host.check("HealthCheck/d command test -f /x").spec ==
        Value(Map{{"command", Map{{"argv", List{"test", "-f", "/x"}},
                                  {"user", "root"},
                                  {"exit", 1},
                                  {"output", Map{{"contains", "ok"}}},
                                  {"within_ms", 3000}}}}));
}

TEST_CASE("an expectation can name the revision of a release", "[kinds][health_check]") {
  const std::string yaml = check(
      "{http: {url: \"http://127.0.0.1/\", json: {/revision: \"@Release/cvd\"}, body: {contains: \"@Release/cvd\"}, "
      "header: {X-Revision: \"@Release/cvd\"}}}");
  const LoweredHost host = lower_host(yaml + manifest("Release", "cvd", "{path: /opt/cvd/app}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  const Value& http = host.lowered.checks.at(0).spec.at("http");
  CHECK(http.at("json").at("/revision") == Value(self_commit));
  CHECK(http.at("body").at("contains") == Value(self_commit));
  CHECK(http.at("header").at("X-Revision") == Value(self_commit));
  const LoweredHost missing = lower_host(check("{http: {url: \"http://127.0.0.1/\", json: {/r: \"@Release/cdv\"}}}") +
                                         manifest("Release", "cvd", "{path: /opt/cvd/app}"));
  CHECK(missing.report().find("\"@Release/cdv\" is no Release of this host: did you mean \"cvd\"?") !=
        std::string::npos);
}

TEST_CASE("checks of one name are told apart", "[kinds][health_check]") {
  const LoweredHost host = lower_host(
      manifest("SystemdUnit", "a.service",
               "{health: [{tcp: {address: \"127.0.0.1:1\"}}, {tcp: {address: \"127.0.0.1:1\", within: 5s}}]}"));
  REQUIRE(host.lowered.checks.size() == 2);
  CHECK(host.lowered.checks[0].name == "SystemdUnit/a.service tcp 127.0.0.1:1");
  CHECK(host.lowered.checks[1].name == "SystemdUnit/a.service tcp 127.0.0.1:1 (2)");
}

TEST_CASE("checks that could not be asked are refused where they stand", "[kinds][health_check]") {
  const auto report = [](const std::string& spec) { return lower_host(check(spec)).report(); };
  CHECK(report("{http: {url: \"ftp://x/yyyy\"}}").find("must be a URL") != std::string::npos);
  CHECK(report("{http: {url: \"http://user:secret@x/\"}}").find("must be a URL") != std::string::npos);
  CHECK(report("{http: {url: \"http://x/ y\"}}").find("must be a URL") != std::string::npos);
  CHECK(report("{http: {url: \"http://x/\", connect: nowhere}}").find("must be \"address:port\"") != std::string::npos);
  CHECK(report("{http: {url: \"http://x/\", connect: /run/x, from: controller}}").find("from: host") !=
        std::string::npos);
  CHECK(report("{http: {url: \"http://x/\", json: {status: ok}}}").find("must be a JSON pointer") != std::string::npos);
  CHECK(report("{tcp: {address: \"127.0.0.1:70000\"}}").find("must be \"address:port\"") != std::string::npos);
  CHECK(report("{tcp: {address: /run/x, from: controller}}").find("from: host") != std::string::npos);
  CHECK_FALSE(report("{}").empty());
  CHECK_FALSE(report("{tcp: {address: \"127.0.0.1:1\"}, unit: {name: a.service}}").empty());
}
