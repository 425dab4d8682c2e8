#include "lowered_host.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;

#include <algorithm>

namespace {

std::string site(const std::string& name, const std::string& rest = "") {
  return manifest("NginxSite", name,
                  "{text: \"server { listen 8080; server_name " + name + ".example.com; }\"" +
                      (rest.empty() ? "" : ", " + rest) + "}");
}

}  // namespace

TEST_CASE("a site is a file, a link, and a running nginx that has loaded them", "[kinds][nginx_site]") {
  const LoweredHost host = lower_host(site("cvd", "snippets: {headers.conf: {text: a}}, http: {limits: {text: b}}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.content_of("/etc/nginx/sites-available/cvd").starts_with("server {"));
  CHECK(host.at("link:/etc/nginx/sites-enabled/cvd").attributes ==
        Map{{"present", true}, {"target", "/etc/nginx/sites-available/cvd"}});
  CHECK(host.content_of("/etc/nginx/snippets/headers.conf") == "a");
  CHECK(host.content_of("/etc/nginx/conf.d/cvd-limits.conf") == "b");
  CHECK(host.at("link:/etc/nginx/sites-enabled/default").attributes == Map{{"present", false}});
  CHECK(host.at("unit:nginx.service").attributes ==
        Map{{"daemon", "current"}, {"enabled", "enabled"}, {"active", "running"}});
  CHECK(host.at("unit:nginx.service").parameters.at("on_change") == Value("reload"));
  CHECK(host.loads("unit:nginx.service") ==
        std::vector<std::string>{"file:/etc/nginx/conf.d/cvd-limits.conf", "file:/etc/nginx/sites-available/cvd",
                                 "file:/etc/nginx/snippets/headers.conf", "link:/etc/nginx/sites-enabled/cvd",
                                 "link:/etc/nginx/sites-enabled/default"});
  REQUIRE(host.lowered.bundle.validators.size() == 1);
  CHECK(host.lowered.bundle.validators[0].argv == std::vector<std::string>{"nginx", "-t"});
}

TEST_CASE("a site must answer on the host under its own name", "[kinds][nginx_site]") {
  const LoweredHost host = lower_host(site("cvd"));
  const Value& http = host.check("NginxSite/cvd http http://cvd.example.com:8080/").spec.at("http");
  CHECK(http.at("connect") == Value("127.0.0.1:8080"));
  CHECK(http.at("from") == Value("host"));
  CHECK(http.at("verify_tls") == Value(false));
  const List& codes = http.at("status").as_list();
  CHECK(std::find(codes.begin(), codes.end(), Value(502)) != codes.end());
  const LoweredHost own = lower_host(site("cvd", "answers: {url: \"http://127.0.0.1:8080/up\"}"));
  CHECK(own.check("NginxSite/cvd http http://127.0.0.1:8080/up").spec.at("http").at("status") == Value(List{200}));
}

TEST_CASE("a site that is not enabled has no link and need not answer", "[kinds][nginx_site]") {
  const LoweredHost host = lower_host(site("cvd", "enabled: false"));
  CHECK(host.at("link:/etc/nginx/sites-enabled/cvd").attributes == Map{{"present", false}});
  CHECK(host.lowered.checks.empty());
}

TEST_CASE("several sites and a unit resource speak of one nginx", "[kinds][nginx_site]") {
  const LoweredHost host =
      lower_host(site("a") + site("b") + manifest("SystemdUnit", "nginx.service", "{state: running}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  const std::vector<std::string> loads = host.loads("unit:nginx.service");
  CHECK(loads == std::vector<std::string>{"file:/etc/nginx/sites-available/a", "file:/etc/nginx/sites-available/b",
                                          "link:/etc/nginx/sites-enabled/a", "link:/etc/nginx/sites-enabled/b",
                                          "link:/etc/nginx/sites-enabled/default"});
  CHECK(host.at("unit:nginx.service").parameters.at("on_change") == Value("reload"));
  CHECK(host.at("unit:nginx.service").origin.resource == "SystemdUnit/nginx.service");
  CHECK(host.lowered.bundle.validators.size() == 1);
}

TEST_CASE("a drop-in of nginx makes a change restart it, unless that is said otherwise", "[kinds][nginx_site]") {
  const std::string drop_in = "dropIns: {a.conf: {text: x}}";
  const auto on_change = [&](const std::string& spec) {
    return lower_host(site("a") + manifest("SystemdUnit", "nginx.service", "{" + spec + "}"))
        .at("unit:nginx.service")
        .parameters.at("on_change");
  };
  CHECK(on_change(drop_in) == Value("restart"));
  CHECK(on_change(drop_in + ", onChange: reload") == Value("reload"));
}

TEST_CASE("two resources that want opposite things of nginx are both named", "[kinds][nginx_site]") {
  const LoweredHost host = lower_host(site("a") + manifest("SystemdUnit", "nginx.service", "{state: stopped}"));
  REQUIRE(host.problems.size() == 1);
  CHECK(
      host.problems[0].what ==
      "\"nginx.service\" is to be running for \"NginxSite/a\" and stopped for \"SystemdUnit/nginx.service\" (active)");
  CHECK(host.problems[0].also.size() == 1);
}

TEST_CASE("the default site goes unless one site keeps it", "[kinds][nginx_site]") {
  const std::string link = "link:/etc/nginx/sites-enabled/default";
  CHECK_FALSE(lower_host(site("a") + site("b", "defaultSite: kept")).has(link));
  CHECK(lower_host(site("a") + site("b", "defaultSite: removed")).has(link));
  CHECK(lower_host(site("a", "defaultSite: removed") + site("b", "defaultSite: kept")).report().find("agree on one") !=
        std::string::npos);
  CHECK(lower_host(site("default")).at(link).attributes.at("present") == Value(true));
}

TEST_CASE("nginx comes after its package and after the units behind it", "[kinds][nginx_site]") {
  const LoweredHost host =
      lower_host(site("a", "upstreams: [SystemdUnit/app.service]") + manifest("Package", "nginx", "{}") +
                 manifest("SystemdUnit", "app.service", "{state: running}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.is_after("unit:nginx.service", "package:nginx"));
  CHECK(host.is_after("unit:nginx.service", "unit:app.service"));
  CHECK(host.is_after("file:/etc/nginx/sites-available/a", "package:nginx"));
  CHECK_FALSE(host.is_after("file:/etc/nginx/sites-available/a", "unit:app.service"));
}

TEST_CASE("names of snippets and fragments are plain", "[kinds][nginx_site]") {
  CHECK(lower_host(site("a", "snippets: {\"../x\": {text: a}}")).report().find("is no name of a file") !=
        std::string::npos);
  CHECK(lower_host(site("a", "http: {x: {text: a}, x.conf: {text: b}}")).report().find("managed twice") !=
        std::string::npos);
}
