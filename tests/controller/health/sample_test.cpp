#include "local_probe.hpp"
#include "test_server.hpp"

#include <controller/health/watch.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

Sample ask(HostProbe& probe, const std::string& member, Value spec, Deadline latest = Deadline::max()) {
  std::map<std::string, std::int64_t> restarts;
  return sample({.name = "the check", .spec = Map{{member, std::move(spec)}}}, probe, restarts, latest);
}

Sample get(const TestServer& server, const std::string& more = "{}") {
  LocalProbe probe;
  const Map base = {{"url", server.url("/health")}, {"from", "host"}, {"within_ms", 2'000}};
  return ask(probe, "http", overlay(base, from_json(more).as_map()));
}

TestServer::Answer always(const std::string& answer) {
  return [answer](const std::string&) { return answer; };
}

}  // namespace

TEST_CASE("an http check passes on the status that it wants", "[health]") {
  const TestServer server(always(http_answer(200, "fine")));
  const Sample found = get(server);
  CHECK(found.detail == "");
  CHECK(found.passed);
  CHECK(found.check == "the check");
  CHECK(get(server, R"({"status": [204, 200]})").passed);
  CHECK(get(server, R"({"status": [204, 201, 599, 598, 597]})").detail ==
        "expected status 201 or 204 or 597 to 599, found 200: \"fine\"");
  CHECK_THAT(server.requests().at(0), StartsWith("GET /health HTTP/1.1\r\nHost: " + server.address() + "\r\n"));
}

TEST_CASE("an http check tells what the answer was instead", "[health]") {
  const TestServer server(always(http_answer(500, "Traceback: \x1b[31mno database" + std::string(500, '!'))));
  const Sample found = get(server, R"({"status": [200]})");
  CHECK_FALSE(found.passed);
  CHECK_THAT(found.detail, StartsWith("expected status 200, found 500: \"Traceback: "));
  CHECK_THAT(found.detail, !Contains("\x1b"));
  CHECK(found.detail.size() < 300);
}

TEST_CASE("an http check looks at headers, body and JSON", "[health]") {
  const TestServer server(
      always(http_answer(200, R"({"status": "healthy", "load": 1.0, "n": 3, "parts": [{"ok": true}]})",
                         "X-Revision: abc\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n")));
  CHECK(get(server, R"({"header": {"x-revision": "abc", "set-cookie": "b=2"}})").passed);
  CHECK(get(server, R"({"header": {"X-Revision": "abd"}})").detail ==
        "expected header \"X-Revision\" to be \"abd\", found \"abc\"");
  CHECK(get(server, R"({"header": {"X-Other": "abd"}})").detail == "expected header \"X-Other\", found none");
  CHECK(get(server, R"({"header": {"X-Revision": {"contains": "b"}}})").passed);
  CHECK(get(server, R"({"body": {"contains": "healthy"}})").passed);
  CHECK(get(server, R"({"body": {"matches": "\"n\": [0-9]"}})").passed);
  CHECK_THAT(get(server, R"({"body": {"matches": "\"n\": [a-z]"}})").detail, StartsWith("expected the body to match"));
  CHECK(get(server, R"({"json": {"/status": "healthy", "/load": 1, "/n": 3.0, "/parts/0/ok": true}})").passed);
  CHECK(get(server, R"({"json": {"/status": "ok"}})").detail ==
        "expected \"/status\" to be \"ok\", found \"\"healthy\"\"");
  CHECK(get(server, R"({"json": {"/none": 1}})").detail == "expected \"/none\" to be 1, found no such member");
}

TEST_CASE("JSON that is none, or too deep, does not pass", "[health]") {
  const TestServer garbage(always(http_answer(200, "<html>")));
  CHECK(get(garbage, R"({"json": {"/status": "ok"}})").detail ==
        "expected JSON of at most 32 levels, found \"<html>\"");
  const TestServer deep(always(http_answer(200, std::string(100'000, '[') + std::string(100'000, ']'))));
  CHECK_FALSE(get(deep, R"({"json": {"/status": "ok"}})").passed);
}

TEST_CASE("a body is sent with its type, and to no other place", "[health]") {
  const TestServer server(always(http_answer(401, "no")));
  const std::string send =
      R"("send": {"type": "application/x-www-form-urlencoded", "body": "name=a%26b&password=c+d"})";
  CHECK(get(server, R"({"status": [401], "method": "POST", )" + send + "}").passed);
  const std::string request = server.requests().at(0);
  CHECK_THAT(request, StartsWith("POST /health HTTP/1.1\r\n"));
  CHECK_THAT(request, Contains("\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
  CHECK_THAT(request, Contains("\r\nContent-Length: 23\r\n"));
  CHECK_THAT(request, !Contains("Expect"));

  const TestServer other(always(http_answer(200, "yes")));
  const TestServer first(always(http_answer(307, "", "Location: " + other.url("/there") + "\r\n")));
  CHECK(get(first, R"({"status": [200], "redirects": 1, "method": "POST", )" + send + "}").passed);
  CHECK_THAT(other.requests().at(0), StartsWith("POST /there") && Contains("Content-Length: 0\r\n"));
  CHECK_THAT(other.requests().at(0), !Contains("urlencoded"));
}

TEST_CASE("headers and method are sent", "[health]") {
  const TestServer server(always(http_answer(200, "")));
  CHECK(get(server, R"({"method": "POST", "headers": {"Accept": "application/json", "Host": "cvd.example.com"}})")
            .passed);
  CHECK(get(server, R"({"method": "HEAD"})").passed);
  const std::string request = server.requests().at(0);
  CHECK_THAT(request, StartsWith("POST /health HTTP/1.1\r\n"));
  CHECK_THAT(request, Contains("Host: cvd.example.com\r\n") && Contains("Accept: application/json\r\n"));
  CHECK_THAT(request, Contains("Content-Length: 0\r\n") && Contains("User-Agent: holdfast\r\n"));
  CHECK_THAT(server.requests().at(1), StartsWith("HEAD /health HTTP/1.1\r\n"));
  CHECK_THAT(get(server, R"({"headers": {"X": "a\r\nY: b"}})").detail, Contains("control characters"));
  CHECK_THAT(get(server, R"({"headers": {"X\r\nY": "b"}})").detail, Contains("no header may have"));
  CHECK(server.requests().size() == 2);
}

TEST_CASE("a slow answer fails by its time alone", "[health]") {
  const TestServer server([](const std::string&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    return http_answer(200, "fine");
  });
  CHECK(get(server).passed);
  const Sample slow = get(server, R"({"within_ms": 100})");
  CHECK_THAT(slow.detail, StartsWith("took ") && Contains(" ms, limit 100 ms"));
}

TEST_CASE("a server that says nothing ends the check shortly after its limit", "[health]") {
  const TestServer server(always(TestServer::hang));
  const Sample hung = get(server, R"({"within_ms": 200})");
  CHECK(hung.detail == "no answer within 200 ms");
  CHECK(hung.took_ms >= 600);
  CHECK(hung.took_ms < 5'000);

  SECTION("or when the watch ends") {
    LocalProbe probe;
    const Deadline soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    const Sample cut = ask(probe, "http", Map{{"url", server.url("/")}, {"within_ms", 60'000}}, soon);
    CHECK_THAT(cut.detail, StartsWith("no answer within "));
    CHECK(cut.took_ms < 5'000);
  }
}

TEST_CASE("an answer that drips without end is cut at its time", "[health]") {
  const TestServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nonly the beginning"));
  const Sample found = get(server, R"({"within_ms": 200})");
  CHECK_FALSE(found.passed);
  CHECK_FALSE(found.detail.empty());
}

TEST_CASE("garbage in place of HTTP is a sample that did not pass", "[health]") {
  for (const std::string garbage : {"SSH-2.0-OpenSSH_9.2\r\n", "", "HTTP/1.1 \xff\xfe\r\n\r\n", "\r\n\r\n\r\n",
                                    "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"}) {
    const TestServer server(always(garbage));
    const Sample found = get(server, R"({"status": [200], "within_ms": 300})");
    CHECK_FALSE(found.passed);
    CHECK_FALSE(found.detail.empty());
  }
}

TEST_CASE("a huge body is read to 1 MiB", "[health]") {
  const std::string body = "begin" + std::string(8U << 20U, 'x') + "end";
  const TestServer server(always(http_answer(200, body)));
  CHECK(get(server, R"({"body": {"contains": "begin"}})").passed);
  CHECK_FALSE(get(server, R"({"body": {"contains": "end"}})").passed);
  CHECK(get(server, R"({"json": {"/a": 1}})").detail == "expected JSON, found a body of more than 1 MiB");
}

TEST_CASE("endless headers end the check", "[health]") {
  std::string answer = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 4'000; ++i) answer += "X-Filler: 0123456789\r\n";
  const TestServer server(always(answer + "\r\n"));
  CHECK(get(server).detail == "more than 64 KiB of headers");
}

TEST_CASE("redirects are followed only as often as asked", "[health]") {
  const TestServer server([](const std::string& request) {
    if (request.starts_with("GET /health ")) return http_answer(302, "", "Location: /second\r\n");
    if (request.starts_with("GET /second ")) return http_answer(301, "", "Location: /third\r\n");
    return http_answer(200, "arrived");
  });
  CHECK_THAT(get(server, R"({"status": [200]})").detail,
             StartsWith("expected status 200, found 302 to \"http://127.0.0.1:") && Contains("/second"));
  CHECK(get(server, R"({"status": [302]})").passed);
  CHECK(get(server, R"({"redirects": 1})").detail == "redirected more than 1 times");
  CHECK(get(server, R"({"redirects": 2, "body": {"contains": "arrived"}})").passed);

  SECTION("round and round") {
    const TestServer loop(always(http_answer(302, "", "Location: /health\r\n")));
    CHECK(get(loop, R"({"redirects": 5})").detail == "redirected more than 5 times");
    CHECK(loop.requests().size() == 6);
  }
  SECTION("to no other scheme") {
    const TestServer other(always(http_answer(302, "", "Location: file:///etc/passwd\r\n")));
    CHECK_FALSE(get(other, R"({"redirects": 5})").passed);
  }
  SECTION("and what was sent does not go to another place") {
    const TestServer away(always(http_answer(302, "", "Location: " + server.url("/third") + "\r\n")));
    CHECK(get(away, R"({"redirects": 5, "headers": {"Authorization": "Bearer abc"}})").passed);
    CHECK_THAT(away.requests().at(0), Contains("Bearer abc"));
    CHECK_THAT(server.requests().back(), StartsWith("GET /third ") && !Contains("Bearer abc"));
  }
}

TEST_CASE("connect chooses the address, the URL the name that is asked for", "[health]") {
  const TestServer server(always(http_answer(200, "fine")));
  LocalProbe probe;
  CHECK(ask(probe, "http", Map{{"url", "http://cvd.example.com/health"}, {"connect", server.address()}}).passed);
  CHECK(probe.dialled == std::vector<std::string>{server.address()});
  CHECK_THAT(server.requests().at(0), Contains("Host: cvd.example.com\r\n"));
  CHECK_THAT(ask(probe, "http", Map{{"url", "http://cvd.example.com/health"}}).detail, Contains("say `connect:"));
  CHECK(ask(probe, "http", Map{{"url", "http://localhost:" + std::to_string(server.port()) + "/"}}).passed);

  SECTION("also a unix socket") {
    const TempFolder folder;
    const TestServer local(always(http_answer(200, "fine")), folder.path("app.sock"));
    CHECK(ask(probe, "http", Map{{"url", "http://cvd/health"}, {"connect", folder.path("app.sock")}}).passed);
    const Map refused{{"url", "http://cvd/"}, {"connect", folder.path("app.sock")}, {"from", "controller"}};
    CHECK_THAT(ask(probe, "http", refused).detail, Contains("only be reached with `from: host`"));
  }
}

TEST_CASE("nobody listening is told as such", "[health]") {
  LocalProbe probe;
  const std::string gone = [] { return TestServer(always("")).address(); }();
  CHECK(ask(probe, "http", Map{{"url", "http://" + gone + "/"}}).detail ==
        "no connection to \"" + gone + "\": connection refused");
  CHECK(ask(probe, "tcp", Map{{"address", gone}}).detail ==
        "expected a connection to \"" + gone + "\", found: connection refused");
  CHECK_FALSE(ask(probe, "tcp", Map{{"address", gone}, {"from", "controller"}}).passed);
  CHECK_FALSE(ask(probe, "http", Map{{"url", "http://" + gone + "/"}, {"from", "controller"}}).passed);
}

TEST_CASE("a tcp check passes once it is connected", "[health]") {
  const TestServer server(always(""));
  LocalProbe probe;
  CHECK(ask(probe, "tcp", Map{{"address", server.address()}}).passed);
  CHECK(ask(probe, "tcp", Map{{"address", server.address()}, {"from", "controller"}}).detail == "");
  CHECK_FALSE(ask(probe, "tcp", Map{{"address", "169.254.169.254:80"}, {"from", "controller"}}).passed);
}

TEST_CASE("localhost is both loopback addresses of the host in turn", "[health]") {
  const TestServer server(always(http_answer(200, "fine")));
  LocalProbe probe;
  CHECK(ask(probe, "tcp", Map{{"address", "localhost:" + std::to_string(server.port())}}).passed);
  CHECK(probe.dialled == std::vector<std::string>{server.address()});
  CHECK_FALSE(ask(probe, "tcp", Map{{"address", "localhost:1"}}).passed);
  CHECK(probe.dialled == std::vector<std::string>{server.address(), "127.0.0.1:1", "[::1]:1"});
}

TEST_CASE("the controller asks over the network, and never the metadata service", "[health]") {
  const TestServer server(always(http_answer(200, "fine")));
  LocalProbe probe;
  CHECK(ask(probe, "http", Map{{"url", server.url("/")}, {"from", "controller"}}).passed);
  CHECK(probe.dialled.empty());
  const Map metadata{{"url", "http://169.254.169.254/latest/meta-data/"}, {"from", "controller"}};
  CHECK_THAT(ask(probe, "http", metadata).detail, Contains("169.254.169.254 is link-local"));
  const TestServer leads(always(http_answer(302, "", "Location: http://[::ffff:169.254.169.254]/\r\n")));
  const Map redirected{{"url", leads.url("/")}, {"from", "controller"}, {"redirects", 3}};
  CHECK_THAT(ask(probe, "http", redirected).detail, Contains("link-local"));
}

TEST_CASE("a command check judges exit code and output", "[health]") {
  LocalProbe probe;
  CHECK(ask(probe, "command", Map{{"argv", List{"echo", "all ok"}}, {"output", Map{{"contains", "ok"}}}}).passed);
  CHECK(ask(probe, "command", Map{{"argv", List{"echo", "bad"}}, {"output", Map{{"matches", "^ok$"}}}}).detail ==
        "expected the output to match \"^ok$\", found \"bad\"");
  CHECK(ask(probe, "command", Map{{"argv", List{"echo", "ok"}}, {"output", Map{{"matches", "^ok$"}}}}).passed);
  CHECK_THAT(ask(probe, "command", Map{{"argv", List{"sh", "-c", "echo oops; exit 3"}}}).detail,
             StartsWith("expected exit code 0, found 3: \"oops"));
  CHECK(ask(probe, "command", Map{{"argv", List{"sh", "-c", "exit 3"}}, {"exit", 3}}).passed);
  const Sample hung = ask(probe, "command", Map{{"argv", List{"sleep", "60"}}, {"within_ms", 100}});
  CHECK(hung.detail == "did not end within 100 ms, said nothing");
  CHECK(hung.took_ms < 10'000);
}

TEST_CASE("a unit check wants it active and not restarted since its last sample", "[health]") {
  LocalProbe probe;
  HostProbe::Unit unit{.load = "loaded", .active = "active", .sub = "running", .restarts = 2};
  probe.units = [&](const std::string&) { return unit; };
  const Check check{.name = "the check", .spec = Map{{"unit", Map{{"name", "cvd.service"}}}}};
  std::map<std::string, std::int64_t> restarts;
  CHECK(sample(check, probe, restarts).passed);
  CHECK(sample(check, probe, restarts).restarts == 2);
  unit.restarts = 3;
  CHECK(sample(check, probe, restarts).detail == "unit \"cvd.service\" was restarted by systemd");
  CHECK(sample(check, probe, restarts).passed);
  unit = {.load = "loaded", .active = "failed", .sub = "failed", .restarts = 5};
  const Sample failed = sample(check, probe, restarts);
  CHECK(failed.detail == "expected unit \"cvd.service\" to be active, found failed (failed)");
  CHECK(failed.gave_up);
  unit = {.load = "not-found", .active = "inactive", .sub = "dead"};
  CHECK(sample(check, probe, restarts).detail == "expected unit \"cvd.service\" to be loaded, found \"not-found\"");
}

namespace {

/// A host whose connection breaks in the middle of everything.
class LostProbe : public LocalProbe {
 public:
  std::unique_ptr<Stream> dial(const std::string&, Deadline) override { throw Error("the connection is lost"); }
};

}  // namespace

TEST_CASE("only a lost connection to the host ends a sample with an error", "[health]") {
  LostProbe probe;
  CHECK_THROWS_AS(ask(probe, "tcp", Map{{"address", "127.0.0.1:1"}}), Error);
  CHECK_FALSE(ask(probe, "smoke", Map{}).passed);
}

TEST_CASE("a watch over a real server ends with its third pass", "[health]") {
  std::atomic<int> answers = 0;
  const TestServer server([&](const std::string&) { return http_answer(++answers < 3 ? 503 : 200, "warming up"); });
  LocalProbe probe;
  HealthWatch watch{.checks = {{.name = "web", .spec = Map{{"http", Map{{"url", server.url("/")}}}}}}};
  watch.policy = {.window_ms = 20'000, .interval_ms = 20, .passes = 3};
  CHECK(watch_health(watch, probe).state == Verdict::State::healthy);
  CHECK(server.requests().size() == 5);
}

TEST_CASE("a check that can't work is refused before any host is asked", "[health]") {
  const auto refused = [](const std::string& member, const std::string& spec) {
    return refuse_check({.name = "c", .spec = Map{{member, from_json(spec)}}});
  };
  CHECK(refused("http", R"({"url": "http://127.0.0.1/", "body": {"matches": "^a$"}})") == "");
  CHECK_THAT(refused("http", R"({"url": "http://127.0.0.1/", "body": {"matches": "(a"}})"), Contains("is not valid"));
  CHECK_THAT(refused("http", R"({"url": "gopher://127.0.0.1/"})"), Contains("is not an http or https URL"));
  CHECK_THAT(refused("http", R"({"url": "http://name/"})"), Contains("say `connect:"));
  CHECK(refused("http", R"({"url": "http://name/", "from": "controller"})") == "");
  CHECK_THAT(refused("command", R"({"argv": ["true"], "output": {"matches": "["}})"), Contains("is not valid"));
  CHECK(refused("tcp", R"({"address": "127.0.0.1:1"})") == "");
}
