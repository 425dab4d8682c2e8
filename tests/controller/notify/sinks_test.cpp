#include "../health/test_server.hpp"
#include "notify_scene.hpp"

#include <manifests/digest.hpp>
#include <manifests/json.hpp>
#include <manifests/schema.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::test;

namespace {

Notification bad_news() {
  return tidy({.id = std::string(32, 'a'),
               .event = "rolled-back",
               .at_ms = 1'795'248'000'000,
               .environment = "production",
               .revision = commit('4'),
               .subject = "Use <b> & `code`",
               .author = "A Tester",
               .hosts = {"web1"},
               .host_count = 1,
               .reason = "found <!channel> & more",
               .journal = {"cvd.service | ``` <https://evil.example|click>"}});
}

std::string body_of(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }

std::string header(const std::string& request, const std::string& name) {
  const std::size_t at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const std::size_t from = at + name.size() + 4;
  return request.substr(from, request.find("\r\n", from) - from);
}

}  // namespace

TEST_CASE("a webhook gets the record of the schema, signed", "[notify]") {
  const NotifyScene scene;
  const TestServer server([](const std::string&) { return http_answer(200, ""); });
  REQUIRE(send_to(scene.webhook("hook", server.url("/in?x=1")), bad_news(), scene.stop).state ==
          SendResult::State::delivered);
  const std::string request = server.requests().at(0);
  CHECK(request.starts_with("POST /in?x=1 HTTP/1.1\r\n"));
  CHECK(header(request, "Content-Type") == "application/json");
  CHECK(header(request, "X-Holdfast-Delivery") == std::string(32, 'a'));
  CHECK(header(request, "X-Holdfast-Event") == "rolled-back");
  CHECK(header(request, "X-Holdfast-Signature-256") ==
        "sha256=" + hmac_sha256("0123456789abcdef0123456789abcdef", body_of(request)));
  const Value record = from_json(body_of(request));
  CHECK(check_record("notification", record).empty());
  CHECK(record.at("reason").as_text() == "found <!channel> & more");
}

TEST_CASE("a Slack message can't mention, link or leave its block", "[notify]") {
  const NotifyScene scene;
  const TestServer server([](const std::string&) { return http_answer(200, "ok"); });
  const SinkSettings sink{
      .name = "team", .type = "slack", .to = Map{{"urlFile", scene.file("url", server.url("/services/T/B/x"))}}};
  REQUIRE(send_to(sink, bad_news(), scene.stop).state == SendResult::State::delivered);
  const std::string request = server.requests().at(0);
  CHECK(request.starts_with("POST /services/T/B/x HTTP/1.1\r\n"));
  CHECK(from_json(body_of(request)).at("text").as_text() ==
        ":warning: production: rolled back 444444444444 on web1, held: found &lt;!channel&gt; &amp; more\n"
        "```Use &lt;b&gt; &amp; 'code' (A Tester)\ncvd.service | ''' &lt;https://evil.example|click&gt;```");
}

TEST_CASE("no secret is shown when a sink fails, also not where the sink says it back", "[notify]") {
  const NotifyScene scene;
  const TestServer server([](const std::string& request) {
    return http_answer(403, "no: " + request.substr(0, request.find("\r\n")) + " 0123456789abcdef0123456789abcdef");
  });
  const SendResult result =
      send_to(scene.webhook("hook", server.url("/services/T0/B0/geheim")), bad_news(), scene.stop);
  CHECK(result.state == SendResult::State::later);
  CHECK(result.why == "answered 403: no: POST [secret] HTTP/1.1 [secret]");
  CHECK(place_of(scene.webhook("hook", "https://hooks.example.com/services/T0/B0/geheim")) ==
        "webhook at hooks.example.com");
}

TEST_CASE("what could be read on the way or leads elsewhere is not sent", "[notify]") {
  const NotifyScene scene;
  const auto why = [&scene](const std::string& url) {
    return send_to(scene.webhook("hook", url), bad_news(), scene.stop).why;
  };
  CHECK(why("http://hooks.example.com/geheim").find("is not https") != std::string::npos);
  CHECK(why("http://hooks.example.com/geheim").find("geheim") == std::string::npos);
  CHECK(why("ftp://127.0.0.1/x").find("no http or https URL") != std::string::npos);
  CHECK(why("https://169.254.169.254/latest").find("metadata") != std::string::npos);
  const TestServer server([](const std::string&) { return http_answer(307, "", "Location: http://127.0.0.1:1/\r\n"); });
  CHECK(why(server.url("/")) == "answered 307, a redirect, which is not followed: give the final URL");
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a file that is missing, empty or not one line is told by its name", "[notify]") {
  const NotifyScene scene;
  SinkSettings sink{.name = "team", .type = "slack", .to = Map{{"urlFile", "/nonexistent/url"}}};
  CHECK(send_to(sink, bad_news(), scene.stop).why.find("\"/nonexistent/url\" can't be read") != std::string::npos);
  sink.to = Map{{"urlFile", scene.file("empty", " \n")}};
  CHECK(send_to(sink, bad_news(), scene.stop).why.find("is empty") != std::string::npos);
  sink.to = Map{{"urlFile", scene.file("two", "https://a.example\r\nX: y\n")}};
  CHECK(send_to(sink, bad_news(), scene.stop).why.find("several lines") != std::string::npos);
}

namespace {

SinkSettings status_at(const NotifyScene& scene, const std::string& type, const std::string& api) {
  return {.name = "status",
          .type = type,
          .to = Map{{"api", api},
                    {"repository", "acme/fleet"},
                    {"tokenFile", scene.file("token", "t0ken-of-status\n")},
                    {"targetUrl", "https://wiki.example.com/x"}}};
}

Notification about(const std::string& event) {
  Notification note = bad_news();
  note.event = event;
  note.reason = std::string(500, 'y');
  return note;
}

struct Asked {
  std::string line{};
  std::string request{};
  Value body{};
};

/// What the server of such a sink is asked.
Asked asked(const std::string& type, const std::string& event) {
  const NotifyScene scene;
  const TestServer server([](const std::string&) { return http_answer(201, "{}"); });
  CHECK(send_to(status_at(scene, type, server.url("/api/")), about(event), scene.stop).state ==
        SendResult::State::delivered);
  const std::string request = server.requests().at(0);
  const std::string body = body_of(request);
  return {request.substr(0, request.find("\r\n")), request, body.empty() ? Value() : from_json(body)};
}

}  // namespace

TEST_CASE("GitHub is asked as its API wants it", "[notify]") {
  const Asked one = asked("github", "rolled-back");
  CHECK(one.line == "POST /api/repos/acme/fleet/statuses/" + commit('4') + " HTTP/1.1");
  CHECK(header(one.request, "Authorization") == "Bearer t0ken-of-status");
  CHECK(header(one.request, "Accept") == "application/vnd.github+json");
  CHECK(one.body.at("state").as_text() == "failure");
  CHECK(one.body.at("context").as_text() == "holdfast/production");
  CHECK(one.body.at("target_url").as_text() == "https://wiki.example.com/x");
  CHECK(one.body.at("description").as_text().starts_with("production: rolled back 444444444444 on web1"));
  CHECK(one.body.at("description").as_text().size() <= 140);
  CHECK(asked("github", "deploying").body.at("state").as_text() == "pending");
  CHECK(asked("github", "deployed").body.at("state").as_text() == "success");
  CHECK(asked("github", "rollback-failed").body.at("state").as_text() == "error");
}

TEST_CASE("GitLab is asked as its API wants it, and a state that is there already is no failure", "[notify]") {
  const Asked one = asked("gitlab", "rollback-failed");
  CHECK(one.line == "POST /api/projects/acme%2Ffleet/statuses/" + commit('4') + " HTTP/1.1");
  CHECK(header(one.request, "PRIVATE-TOKEN") == "t0ken-of-status");
  CHECK(one.body.at("state").as_text() == "failed");
  CHECK(one.body.at("name").as_text() == "holdfast/production");
  CHECK(asked("gitlab", "deploying").body.at("state").as_text() == "running");
  const NotifyScene scene;
  std::string said = R"({"message":"Cannot transition status via :run from :running"})";
  const TestServer server([&said](const std::string&) { return http_answer(400, said); });
  CHECK(send_to(status_at(scene, "gitlab", server.url("")), about("deploying"), scene.stop).state ==
        SendResult::State::delivered);
  said = "no such ref";
  CHECK(send_to(status_at(scene, "gitlab", server.url("")), about("deploying"), scene.stop).state ==
        SendResult::State::never);
}

TEST_CASE("Gitea is asked as its API wants it", "[notify]") {
  const Asked one = asked("gitea", "deployed");
  CHECK(one.line == "POST /api/repos/acme/fleet/statuses/" + commit('4') + " HTTP/1.1");
  CHECK(header(one.request, "Authorization") == "token t0ken-of-status");
  CHECK(one.body.at("state").as_text() == "success");
}

TEST_CASE("a test of a commit status names no commit, and a wrong token is told without it", "[notify]") {
  CHECK(asked("github", "test").line == "GET /api/repos/acme/fleet HTTP/1.1");
  CHECK(asked("gitlab", "test").line == "GET /api/projects/acme%2Ffleet HTTP/1.1");
  const NotifyScene scene;
  const TestServer server([](const std::string&) { return http_answer(401, "bad t0ken-of-status"); });
  CHECK(send_to(status_at(scene, "github", server.url("")), about("test"), scene.stop).why ==
        "answered 401: bad [secret]");
  CHECK(place_of(status_at(scene, "github", "https://api.github.com")) == "github at api.github.com");
}

TEST_CASE("a commit status is told of what it can show and of nothing else", "[notify]") {
  const SinkSettings sink{.name = "status", .type = "gitea"};
  CHECK(wants(sink, about("deploying")));
  CHECK(wants(sink, about("current")));
  CHECK(wants(sink, about("overtaken")));
  CHECK_FALSE(wants(sink, about("repaired")));
  CHECK_FALSE(wants(sink, about("dropped")));
  Notification source = about("refused");
  CHECK(wants(sink, source));
  source.revision.clear();
  CHECK_FALSE(wants(sink, source));
}
