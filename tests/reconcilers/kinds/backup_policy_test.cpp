#include "lowered_host.hpp"

#include <manifests/json.hpp>
#include <reconcilers/backup/policy.hpp>
#include <reconcilers/kinds/calendar.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

const std::string database = "sources: [{sqlite: {path: /srv/app/app.db}}]";

std::string policy(const std::string& spec) { return manifest("BackupPolicy", "app", "{" + spec + "}"); }

BackupPolicy written(const LoweredHost& host) {
  return backup_policy_from(from_json(host.content_of("/etc/holdfast/backups/app.json")));
}

std::int64_t hours(std::int64_t count) { return count * 3'600'000; }

}  // namespace

TEST_CASE("a backup policy is a file for the runner, a service and a timer", "[kinds][backup]") {
  const LoweredHost host = lower_host(policy("schedule: [daily, \"Sun 04:00\"], randomizedDelay: 5m, " + database));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  CHECK(host.at("directory:/etc/holdfast").attributes == Map{{"present", true}});
  CHECK(host.at("directory:/etc/holdfast/backups").attributes.at("mode") == Value(0700));
  CHECK(host.at("file:/etc/holdfast/backups/app.json").attributes.at("mode") == Value(0600));
  const std::string service = host.content_of("/etc/systemd/system/holdfast-backup-app.service");
  CHECK(service.find("ExecStart=/var/lib/holdfast/bin/holdfast-host backup run app --reason schedule\n") !=
        std::string::npos);
  const std::string timer = host.content_of("/etc/systemd/system/holdfast-backup-app.timer");
  CHECK(timer.find("OnCalendar=daily\nOnCalendar=Sun 04:00\nRandomizedDelaySec=300000ms\n") != std::string::npos);
  CHECK(timer.find("Persistent=true\n") != std::string::npos);
  CHECK(host.at("unit:holdfast-backup-app.timer").attributes ==
        Map{{"daemon", "current"}, {"enabled", "enabled"}, {"active", "running"}});
  CHECK(host.at("unit:holdfast-backup-app.service").attributes == Map{{"daemon", "current"}});
  CHECK(host.is_after("unit:holdfast-backup-app.timer", "file:/etc/systemd/system/holdfast-backup-app.service"));
  CHECK(host.lowered.bundle.validators.at(0).argv.back() == "/etc/systemd/system/holdfast-backup-app.timer");
  CHECK_FALSE(host.at("file:/etc/holdfast/backups/app.json").parameters.contains("backup"));
}

TEST_CASE("what is written about a backup reaches the runner", "[kinds][backup]") {
  const LoweredHost host = lower_host(
      policy("schedule: hourly, destination: /mnt/safe, compress: none, keep: {count: 3, age: 30d}, freeSpace: 2GiB, "
             "timeout: 90s, sources: [{postgres: {database: loans, host: 127.0.0.1, port: 5433}}, {files: {paths: "
             "[/srv/a, /srv/b], exclude: [\"*.log\"]}}]"));
  INFO(host.report());
  REQUIRE(host.problems.empty());
  const BackupPolicy found = written(host);
  CHECK(found.name == "app");
  CHECK(found.destination == "/mnt/safe");
  CHECK(found.compress == "none");
  CHECK(found.keep_count == 3);
  CHECK(found.keep_age_ms == hours(30 * 24));
  CHECK(found.free_bytes == 2LL << 30);
  CHECK(found.free_percent == 0);
  CHECK(found.timeout_ms == 90'000);
  CHECK(found.max_age_ms == hours(2));
  REQUIRE(found.sources.size() == 2);
  CHECK(
      to_value(found.sources[0]) ==
      Value(Map{
          {"engine", "postgres"}, {"database", "loans"}, {"user", "postgres"}, {"host", "127.0.0.1"}, {"port", 5433}}));
  CHECK(found.sources[1].paths == std::vector<std::string>{"/srv/a", "/srv/b"});
  CHECK(found.sources[1].exclude == std::vector<std::string>{"*.log"});
}

TEST_CASE("a missed backup is one that the schedule would have taken", "[kinds][backup]") {
  const auto max_age = [](const std::string& spec) { return written(lower_host(policy(spec + database))).max_age_ms; };
  CHECK(max_age("schedule: daily, ") == hours(26));
  CHECK(max_age("schedule: weekly, ") == hours(7 * 24 + 2));
  CHECK(max_age("schedule: [weekly, hourly], ") == hours(2));
  CHECK(max_age("schedule: daily, randomizedDelay: 1h, ") == hours(27));
  CHECK(max_age("schedule: daily, maxAge: 3d, ") == hours(72));
  CHECK(max_age("beforeDeploy: true, ") == 0);
}

TEST_CASE("a policy that backs up before changes travels with the bundle and knows what it covers", "[kinds][backup]") {
  const std::string motd = manifest("File", "motd", "{path: /etc/motd, text: hello}");
  const LoweredHost host = lower_host(policy("beforeDeploy: true, covers: [File/motd], " + database) + motd);
  INFO(host.report());
  REQUIRE(host.problems.empty());
  const Value& backup = host.at("file:/etc/holdfast/backups/app.json").parameters.at("backup");
  CHECK(backup.at("covers") == Value(List{"file:/etc/motd"}));
  CHECK(backup_policy_from(backup).sources.at(0).path == "/srv/app/app.db");
  CHECK_FALSE(host.is_after("file:/etc/holdfast/backups/app.json", "file:/etc/motd"));
  const LoweredHost anything = lower_host(policy("beforeDeploy: true, " + database));
  CHECK(anything.at("file:/etc/holdfast/backups/app.json").parameters.at("backup").find("covers") == nullptr);
  CHECK_FALSE(anything.has("unit:holdfast-backup-app.timer"));
}

TEST_CASE("two policies share their folders", "[kinds][backup]") {
  const LoweredHost host = lower_host(policy("schedule: daily, " + database) +
                                      manifest("BackupPolicy", "other", "{schedule: daily, " + database + "}"));
  INFO(host.report());
  CHECK(host.problems.empty());
}

TEST_CASE("policies that could never work are refused", "[kinds][backup]") {
  const auto says = [](const std::string& spec, const std::string& what) {
    const std::string report = lower_host(policy(spec)).report();
    INFO(report);
    CHECK(report.find(what) != std::string::npos);
  };
  says(database, "neither \"schedule\" nor \"beforeDeploy\"");
  says("schedule: \"0 3 * * *\", " + database, "is no calendar expression");
  says("schedule: [daily, \"25:00\"], " + database, "\"25\" is not from 0 to 23");
  says("schedule: \"*-02-30\", " + database, "there is no such day");
  says("schedule: daily, covers: [BackupPolicy/app], " + database, "\"beforeDeploy\" is false");
  says("schedule: daily, sources: [{files: {paths: [/]}}]", "\"/\" can't be a source");
  says("schedule: daily, sources: [{sqlite: {path: /a}, files: {paths: [/b]}}]", "sources");
  says("schedule: daily, sources: [{postgres: {database: \"dbname=x host=evil\"}}]", "letters, digits");
  says("schedule: daily, freeSpace: lots, " + database, "such as \"10%\" or \"2GiB\"");
  const std::string bad_name =
      lower_host(manifest("BackupPolicy", "a@b", "{schedule: daily, " + database + "}")).report();
  CHECK(bad_name.find("can't name a backup") != std::string::npos);
}

TEST_CASE("calendar expressions are read as systemd reads them", "[kinds][backup][calendar]") {
  constexpr std::int64_t hour = 3600;
  constexpr std::int64_t day = 24 * hour;
  const std::vector<std::pair<std::string, std::int64_t>> good = {
      {"daily", day},
      {"*-*-* 02:30:00", day},
      {"02:30", day},
      {"Mon..Fri 02:30", 3 * day},
      {"Sat,Sun", 6 * day},
      {"Mon, 04:00", 7 * day},
      {"*:0/15", 900},
      {"*-*-* 0/6:00", 6 * hour},
      {"*-*-1,15 04:00", 17 * day},
      {"monthly", 31 * day},
      {"*-*~1", 31 * day},
      {"*-*-* 22..23,0..4:30 Europe/Berlin", 18 * hour},
      {"daily UTC", day},
      {"quarterly", 92 * day},
      {"2027-01-01 04:00", 400 * day},
      {"*:*:0/10", 10},
  };
  for (const auto& [text, pause] : good) {
    const Calendar calendar = read_calendar(text);
    INFO(text << ": " << calendar.fault);
    CHECK(calendar.fault.empty());
    CHECK(calendar.longest_pause_s == pause);
  }
  for (const char* bad :
       {"", "0 3 * * *", "@daily", "every day", "24:00", "*-13-01", "*-*-32", "5..1:00", "12", "a:b",
        "*-*-* 02:30 Berlin", "Mon Tue", "Fri..Mon 00:00", "1:2:3:4", "*-*-* 00:00; rm -rf /", "daily\nUnit=x"}) {
    INFO(bad);
    CHECK_FALSE(read_calendar(bad).fault.empty());
  }
}
