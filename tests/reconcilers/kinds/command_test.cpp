#include "lowered_host.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace holdfast;

namespace {

const std::string service =
    manifest("SystemdUnit", "cvd.service", "{state: running, text: \"[Service]\\nExecStart=/bin/true\\n\"}");

}  // namespace

TEST_CASE("a command says what it runs, how it is undone, and comes after all that it names", "[kinds][command]") {
  HeldReleases sources;
  sources.add("self", "migrate.py", "print()\n");
  const LoweredHost host = lower_host(
      manifest("Command", "migrate",
               "{run: [python3, migrate.py, up], undo: [python3, migrate.py, down], in: /opt/cvd/app, user: cvdapp, "
               "environment: {WORKERS: 4}, environmentFile: EnvFile/cvd, onChange: [Release/cvd], timeout: 10m}") +
          manifest("Release", "cvd", "{path: /opt/cvd/app, owner: cvdapp}") +
          manifest("EnvFile", "cvd", "{path: /opt/cvd/.env, values: {A: b}}") +
          manifest("User", "cvdapp", "{system: true}"),
      {}, sources);
  INFO(host.report());
  REQUIRE(host.problems.empty());
  const Wanted& command = host.at("command:migrate");
  CHECK(command.attributes == Map{{"present", true}});
  CHECK(command.parameters == Map{{"run", Value::texts({"python3", "migrate.py", "up"})},
                                  {"undo", Value::texts({"python3", "migrate.py", "down"})},
                                  {"folder", "/opt/cvd/app"},
                                  {"user", "cvdapp"},
                                  {"environment", Map{{"WORKERS", "4"}}},
                                  {"environment_file", "/opt/cvd/.env"},
                                  {"loads", List{"link:/opt/cvd/app"}},
                                  {"timeout_ms", 600'000}});
  for (const char* needed : {"link:/opt/cvd/app", "file:/opt/cvd/.env", "user:cvdapp"}) {
    CHECK(host.is_after("command:migrate", needed));
  }
}

TEST_CASE("a unit that is stopped for a command starts after it, because it loads what it ran for",
          "[kinds][command]") {
  const LoweredHost host = lower_host(
      manifest("Command", "migrate",
               "{run: [echo], irreversible: \"it is a test\", onChange: [], whileStopped: [SystemdUnit/cvd.service]}") +
      service);
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.at("command:migrate").parameters.at("stops") == Value(List{"cvd.service"}));
  const std::vector<std::string> loads = host.loads("unit:cvd.service");
  CHECK(std::count(loads.begin(), loads.end(), "command:migrate") == 1);
  CHECK(host.is_after("unit:cvd.service", "command:migrate"));
  CHECK(host.at("unit:cvd.service").parameters.at("on_change") == Value("restart"));
}

TEST_CASE("a unit may name in so many words that it comes after the command that it is stopped for",
          "[kinds][command]") {
  const LoweredHost host = lower_host(
      manifest("Command", "migrate",
               "{run: [echo], irreversible: \"it is a test\", onChange: [], whileStopped: [SystemdUnit/a.service]}") +
      manifest("SystemdUnit", "a.service", "{state: running, text: \"[Service]\\nExecStart=/bin/true\\n\"}",
               "Command/migrate"));
  INFO(host.report());
  CHECK(host.problems.empty());
  CHECK(host.is_after("unit:a.service", "command:migrate"));
}

TEST_CASE("a command comes after the folders of its arguments and before who names it", "[kinds][command]") {
  const LoweredHost host =
      lower_host(manifest("Command", "certificate",
                          "{run: [openssl, -keyout, /etc/cvd/tls/key], creates: /etc/cvd/tls/cert, undo: {remove: "
                          "true}}") +
                 manifest("Directory", "tls", "{path: /etc/cvd/tls}") +
                 manifest("File", "site", "{path: /etc/site, text: x}", "Command/certificate"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.is_after("command:certificate", "directory:/etc/cvd/tls"));
  CHECK(host.is_after("file:/etc/site", "command:certificate"));
  CHECK(host.at("command:certificate").parameters.at("undo") == Value(Map{{"remove", true}}));
}

TEST_CASE("a command without one guard and one way back is refused", "[kinds][command]") {
  const auto report = [](const std::string& spec) {
    return lower_host(manifest("Command", "c", spec) + service).report();
  };
  const auto says = [&](const std::string& spec, const std::string& what) {
    INFO(report(spec));
    CHECK(report(spec).find(what) != std::string::npos);
  };
  says("{run: [a], undo: [b]}", "exactly one of \"creates\", \"unless\" and \"onChange\", found none");
  says("{run: [a], undo: [b], creates: /x, onChange: []}", "found several");
  says("{run: [a], creates: /x}", "exactly one of \"undo\" and \"irreversible\", found none");
  says("{run: [a], creates: /x, undo: [b], irreversible: \"because\"}", "found both");
  says("{run: [a], onChange: [], undo: {remove: true}}", "there is no \"creates\"");
  says("{run: [a], undo: [b], creates: /x, whileStopped: [SystemdUnit/cvd.service]}", "needs \"onChange\"");
  says("{run: [a], undo: [b], onChange: [], environmentFile: SystemdUnit/cvd.service}", "is no environment file");
  says("{run: [a], undo: [b], onChange: [], environment: {1A: x}}", "is no name of a variable");
}

TEST_CASE("a command is not run because another one ran, and a unit that only reloads is not stopped for it",
          "[kinds][command]") {
  const std::string chain = lower_host(manifest("Command", "a", "{run: [a], undo: [b], onChange: [Command/b]}") +
                                       manifest("Command", "b", "{run: [a], undo: [b], onChange: []}"))
                                .report();
  CHECK(chain.find("because another one ran") != std::string::npos);
  const std::string reload =
      lower_host(
          manifest("Command", "a", "{run: [a], undo: [b], onChange: [], whileStopped: [SystemdUnit/nginx.service]}") +
          manifest("SystemdUnit", "nginx.service", "{state: running, onChange: reload}"))
          .report();
  CHECK(reload.find("needs \"onChange: restart\"") != std::string::npos);
}
