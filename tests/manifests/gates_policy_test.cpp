#include <manifests/fleet.hpp>
#include <manifests/zone.hpp>
#include <tests/manifests/fleet_builder.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::test;

namespace {

/// An environment with `spec` in line 7.
EnvironmentsResult read(const std::string& spec) {
  return load_environments(
      MemoryTree({{"deploy/env.yaml",
                   "apiVersion: holdfast.dev/v1\nkind: Environment\nmetadata: {name: production}\nspec:\n"
                   "  track: {branch: main}\n  hosts: [{name: web1}]\n  " +
                       spec + "\n"}}),
      {});
}

GatesPolicy gates(const std::string& spec) {
  const EnvironmentsResult result = read(spec);
  INFO(rendered(result.problems));
  REQUIRE(result.problems.empty());
  return result.environments.at(0).gates;
}

void refuses(const std::string& spec, const std::string& place, const std::string& words) {
  const EnvironmentsResult result = read(spec);
  INFO("expected " << place << " " << words << "\n" << rendered(result.problems));
  CHECK(tells(result.problems, place, words));
}

}  // namespace

TEST_CASE("gates are read with what they say and with their defaults", "[gates]") {
  const GatesPolicy read = gates(
      "requires: [{backup: db}, {certificate: example.com}, {certificate: /etc/a.pem, validFor: 2d}, {diskFree: 5GiB, "
      "path: /var}, {diskFree: 20%}, {load: 1.5}, {command: [ask], on: host, within: 30s, exit: 3}, {command: [ask]}]");
  CHECK(read.backups.at(0).max_age_ms == 86'400'000);
  CHECK(read.certificates.at(0).name == "example.com");
  CHECK(read.certificates.at(0).port == 443);
  CHECK(read.certificates.at(1).path == "/etc/a.pem");
  CHECK(read.disks.at(0).bytes == 5LL << 30);
  CHECK(read.disks.at(0).path == "/var");
  CHECK(read.disks.at(1).percent == 20);
  CHECK(read.loads.at(0).per_processor == 1.5);
  CHECK(read.commands.at(0).on_host);
  CHECK(read.commands.at(0).exit_code == 3);
  CHECK_FALSE(read.commands.at(1).on_host);
}

TEST_CASE("windows and freezes are read in the clocks of their zone", "[gates]") {
  const GatesPolicy read = gates(
      "windows: [{days: [sat, sun], from: \"22:30\", to: \"02:00\", zone: Europe/Berlin, overrun: true}, {from: "
      "\"00:00\", to: \"24:00\"}]\n  freezes: [{from: 2028-02-28, to: 2028-02-29}, {from: 2026-12-23T18:00, to: "
      "2026-12-24T06:30, reason: fair}]");
  const Window& night = read.windows.at(0);
  CHECK(night.days == std::array<bool, 7>{true, false, false, false, false, false, true});
  CHECK(night.from_s == 22 * 3600 + 1800);
  CHECK(night.to_s == 2 * 3600);
  CHECK(night.overrun);
  CHECK(night.zone != nullptr);
  CHECK(read.windows.at(1).days.at(3));
  CHECK(read.windows.at(1).to_s == 86'400);
  CHECK(read.windows.at(1).zone_name == "UTC");
  CHECK(read.freezes.at(0).to_s == days_of(2028, 3, 1) * 86'400);
  CHECK(read.freezes.at(1).from_s == days_of(2026, 12, 23) * 86'400 + 18 * 3600);
  CHECK(read.freezes.at(1).to_s == days_of(2026, 12, 24) * 86'400 + 6 * 3600 + 1800);
}

TEST_CASE("a gate that is none, two in one, or the same twice is refused where it stands", "[gates]") {
  refuses("requires: [{healthyFor: 1h}]", "7:14", "must have one of the keys");
  refuses("requires: [{backup: db, load: 1}]", "7:14", "must have one of the keys");
  refuses("requires: [{backup: db}, {backup: db}]", "7:28", "there twice");
  refuses("requires: [{backup: db, healthyFor: 1h}]", "7:27", "no meaning beside \"backup\"");
  refuses("requires: [{diskFree: 20}]", "7:25", "text");
  refuses("requires: [{diskFree: 200%}]", "7:25", "20% or 5GiB");
  refuses("requires: [{diskFree: 5 apples}]", "7:25", "20% or 5GiB");
  refuses("requires: [{certificate: \"-x y\"}]", "7:28", "PEM file");
  refuses("requires: [{certificate: \"a.example:99999\"}]", "7:28", "PEM file");
  refuses("requires: [{backup: db, maxAge: soon}]", "7:35", "maxAge");
}

TEST_CASE("a window without a zone that is known, or without a length, is refused where it stands", "[gates]") {
  refuses("windows: [{from: \"02:00\", to: \"04:00\", zone: Europe/Berln}]", "7:48", "no time zone");
  refuses("windows: [{from: \"02:00\", to: \"02:00\"}]", "7:33", "must not end when it begins");
  refuses("windows: [{from: \"24:00\", to: \"02:00\"}]", "7:20", "can't begin at 24:00");
  refuses("windows: [{from: \"02:61\", to: \"04:00\"}]", "7:20", "a time of the day");
  refuses("windows: [{from: \"2:00h\", to: \"04:00\"}]", "7:20", "a time of the day");
  refuses("windows: [{days: [sunday], from: \"02:00\", to: \"04:00\"}]", "7:21", "sun");
  refuses("windows: [{days: [sun], to: \"04:00\"}]", "", "from");
}

TEST_CASE("a freeze of days that are none, or that ends before it begins, is refused where it stands", "[gates]") {
  refuses("freezes: [{from: 2027-02-29, to: 2027-03-01}]", "7:20", "must be a date");
  refuses("freezes: [{from: 2027-02-28, to: 2027-02-27}]", "7:36", "must end after it begins");
  refuses("freezes: [{from: 2027-02-28T25:00, to: 2027-03-01}]", "7:20", "must be a date");
}
