#include "lowered_host.hpp"

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

const std::string installed = R"(text: "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n")";

std::string unit(const std::string& name, const std::string& spec, const std::string& after = "") {
  return manifest("SystemdUnit", name, "{" + spec + "}", after);
}

}  // namespace

TEST_CASE("a unit has a file, is enabled, runs, and loads its own file", "[kinds][systemd_unit]") {
  const LoweredHost host = lower_host(unit("cvd.service", installed + ", state: running"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.content_of("/etc/systemd/system/cvd.service").starts_with("[Service]\n"));
  CHECK(host.at("unit:cvd.service").attributes ==
        Map{{"daemon", "current"}, {"enabled", "enabled"}, {"active", "running"}});
  CHECK(host.at("unit:cvd.service").parameters ==
        Map{{"loads", List{"file:/etc/systemd/system/cvd.service"}}, {"on_change", "restart"}});
  CHECK(host.is_after("unit:cvd.service", "file:/etc/systemd/system/cvd.service"));
  REQUIRE(host.lowered.bundle.validators.size() == 1);
  CHECK(host.lowered.bundle.validators[0].argv ==
        std::vector<std::string>{"systemd-analyze", "verify", "/etc/systemd/system/cvd.service"});
  CHECK(host.lowered.bundle.validators[0].folders == std::vector<std::string>{"/etc/systemd/system/cvd.service"});
  CHECK(host.check("SystemdUnit/cvd.service unit cvd.service").spec ==
        Value(Map{{"unit", Map{{"name", "cvd.service"}, {"restarts", "unmoved"}}}}));
}

TEST_CASE("a unit that a package brings is left alone but for what is said", "[kinds][systemd_unit]") {
  const LoweredHost host =
      lower_host(unit("nginx.service", "state: running, verify: false") + unit("cron.service", "masked: true") +
                 unit("ssh.service", "enabled: false") + unit("app.target", ""));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.at("unit:nginx.service").attributes == Map{{"daemon", "current"}, {"active", "running"}});
  CHECK(host.at("unit:cron.service").attributes == Map{{"daemon", "current"}, {"enabled", "masked"}});
  CHECK(host.at("unit:ssh.service").attributes == Map{{"daemon", "current"}, {"enabled", "disabled"}});
  CHECK(host.at("unit:app.target").attributes == Map{{"daemon", "current"}});
  CHECK(host.lowered.bundle.validators.empty());
}

TEST_CASE("a unit without [Install] is not enabled by itself, and can't be", "[kinds][systemd_unit]") {
  const std::string bare = R"(text: "[Service]\nExecStart=/bin/true\n")";
  CHECK_FALSE(lower_host(unit("job.service", bare)).at("unit:job.service").attributes.contains("enabled"));
  CHECK(lower_host(unit("job.service", bare + ", enabled: true")).report().find("has no [Install] section") !=
        std::string::npos);
}

TEST_CASE("drop-ins lie in a folder of the unit and are verified with it", "[kinds][systemd_unit]") {
  const LoweredHost host = lower_host(
      unit("ssh.service", "dropIns: {10-limits.conf: {text: \"[Service]\\nLimitNOFILE=9\\n\"}, b.conf: {source: b}}"),
      {{"deploy/b", "[Unit]\n"}});
  INFO(host.report());
  REQUIRE(host.problems.empty());
  const std::string folder = "/etc/systemd/system/ssh.service.d";
  CHECK(host.content_of(folder + "/b.conf") == "[Unit]\n");
  CHECK(host.is_after("file:" + folder + "/b.conf", "directory:" + folder));
  CHECK(host.loads("unit:ssh.service") ==
        std::vector<std::string>{"file:" + folder + "/10-limits.conf", "file:" + folder + "/b.conf"});
  CHECK(host.lowered.bundle.validators.at(0).argv.back() == "ssh.service");
  CHECK(lower_host(unit("ssh.service", "dropIns: {limits: {text: x}}")).report().find("no name of a drop-in") !=
        std::string::npos);
  CHECK(lower_host(unit("ssh.service", "dropIns: {\"../a.conf\": {text: x}}")).report().find("no name of a drop-in") !=
        std::string::npos);
}

TEST_CASE("what a unit loads becomes the primitives that hold the content", "[kinds][systemd_unit]") {
  const LoweredHost host = lower_host(
      unit("cvd.service", installed + ", state: running, loads: [EnvFile/cvd, Release/cvd], onChange: reload") +
      manifest("EnvFile", "cvd", "{path: /opt/cvd/.env}") + manifest("Release", "cvd", "{path: /opt/cvd/app}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.loads("unit:cvd.service") ==
        std::vector<std::string>{"file:/etc/systemd/system/cvd.service", "file:/opt/cvd/.env", "link:/opt/cvd/app"});
  CHECK(host.is_after("unit:cvd.service", "link:/opt/cvd/app"));
  CHECK(host.at("unit:cvd.service").parameters.at("on_change") == Value("reload"));
}

TEST_CASE("only what has content can be loaded", "[kinds][systemd_unit]") {
  const LoweredHost host = lower_host(unit("cvd.service", installed + ", loads: [Directory/data]") +
                                      manifest("Directory", "data", "{path: /srv/data}"));
  REQUIRE(host.problems.size() == 1);
  CHECK(host.problems[0].what == "\"Directory/data\" has no content that a unit could load");
  CHECK(host.problems[0].where.line == 5);
  CHECK(lower_host(unit("cvd.service", installed + ", loads: [EnvFile/none]")).report().find("EnvFile/none") !=
        std::string::npos);
}

TEST_CASE("a timer comes after the service that it starts", "[kinds][systemd_unit]") {
  const std::string timer = R"(text: "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n", state: running)";
  const std::string other = R"(text: "[Timer]\nOnCalendar=daily\nUnit = other.service\n", state: running)";
  const LoweredHost host = lower_host(unit("job.timer", timer) + unit("b.timer", other) +
                                      unit("job.service", installed) + unit("other.service", installed));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.is_after("unit:job.timer", "file:/etc/systemd/system/job.service"));
  CHECK(host.is_after("unit:b.timer", "file:/etc/systemd/system/other.service"));
  CHECK(host.at("unit:job.timer").attributes.at("active") == Value("running"));
}

TEST_CASE("a template is only a file; its instances load it", "[kinds][systemd_unit]") {
  const LoweredHost host =
      lower_host(unit("app@.service", installed) + unit("app@1.service", "state: running, enabled: true"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK_FALSE(host.has("unit:app@.service"));
  CHECK(host.loads("unit:app@1.service") == std::vector<std::string>{"file:/etc/systemd/system/app@.service"});
  CHECK(lower_host(unit("app@.service", installed + ", state: running")).report().find("\"app@1.service\"") !=
        std::string::npos);
}

TEST_CASE("an absent unit is stopped, disabled and without a file", "[kinds][systemd_unit]") {
  const LoweredHost host = lower_host(unit("old.service", installed + ", state: absent, loads: [File/x]") +
                                      manifest("File", "x", "{path: /etc/x, text: x}"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.at("unit:old.service").attributes ==
        Map{{"daemon", "current"}, {"enabled", "disabled"}, {"active", "stopped"}});
  CHECK(host.at("file:/etc/systemd/system/old.service").attributes == Map{{"present", false}});
  CHECK(host.loads("unit:old.service").empty());
  CHECK(host.is_after("unit:old.service", "file:/etc/systemd/system/old.service"));
  CHECK(host.lowered.checks.empty());
  CHECK(host.lowered.bundle.validators.empty());
}

TEST_CASE("a masked unit is nothing else", "[kinds][systemd_unit]") {
  CHECK(lower_host(unit("a.service", installed + ", masked: true")).report().find("can't be masked") !=
        std::string::npos);
  CHECK(lower_host(unit("a.service", "masked: true, state: running")).report().find("can't be enabled or running") !=
        std::string::npos);
}

TEST_CASE("a unit's name is a full one", "[kinds][systemd_unit]") {
  CHECK(lower_host(unit("cvd", installed)).report().find("must be the full name of a unit") != std::string::npos);
}
