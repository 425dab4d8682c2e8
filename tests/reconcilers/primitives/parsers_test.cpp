#include "machine.hpp"

#include <manifests/error.hpp>
#include <reconcilers/host/accounts.hpp>
#include <reconcilers/host/downtime.hpp>
#include <reconcilers/host/dpkg.hpp>
#include <reconcilers/host/systemctl.hpp>

#include <catch2/catch.hpp>

namespace holdfast {

TEST_CASE("dpkg's status file is read as dpkg means it") {
  const auto packages = parse_dpkg_status(
      "Package: nginx\nStatus: install ok installed\nPriority: optional\nVersion: 1.22.1-9+deb12u2\n"
      "Description: small, powerful\n Package: not-me\n\n"
      "Package: gone\nStatus: deinstall ok config-files\nVersion: 1.0\n\n"
      "Package: half\nStatus: install ok half-configured\nVersion: 2.0\n\n"
      "Package: waiting\nStatus: install ok triggers-pending\nVersion: 3:1-2\n\n"
      "Package: libc6\nStatus: deinstall ok config-files\nArchitecture: i386\nVersion: 1\n\n"
      "Package: libc6\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 2.36\n");
  CHECK(packages.size() == 5);
  CHECK(packages.at("nginx").installed);
  CHECK(packages.at("nginx").version == "1.22.1-9+deb12u2");
  CHECK_FALSE(packages.at("gone").installed);
  CHECK_FALSE(packages.at("half").installed);
  CHECK(packages.at("half").broken);
  CHECK(packages.at("waiting").installed);
  CHECK(packages.at("libc6").installed);
  CHECK(packages.at("libc6").version == "2.36");
  CHECK(parse_dpkg_status("").empty());
  CHECK(parse_dpkg_status("\n\n\nrubbish").empty());
}

TEST_CASE("this machine's own dpkg status can be read") {
  const auto system = make_linux_system("/");
  const auto packages = parse_dpkg_status(system->read("/var/lib/dpkg/status", 1U << 30U).value());
  CHECK(packages.at("dpkg").installed);
}

TEST_CASE("accounts are read without the C library, and rubbish lines are left out") {
  const Accounts accounts(
      "root:x:0:0:root:/root:/bin/bash\n+::::::\nbroken\nweb:x:33:33:a, b:/var/www:/usr/sbin/nologin\nbad:x:-1:0:::\n",
      "root:x:0:\nwww:x:33:\nssl:x:44:web,root\nadm:x:4:web\n");
  CHECK(accounts.user("web")->home == "/var/www");
  CHECK(accounts.user("web")->comment == "a, b");
  CHECK(accounts.user("bad") == nullptr);
  CHECK(accounts.user("broken") == nullptr);
  CHECK(accounts.user_name(33) == "web");
  CHECK(accounts.user_name(77) == "77");
  CHECK(accounts.group_name(44) == "ssl");
  CHECK(accounts.uid_of("33") == 33);
  CHECK_THROWS_AS(accounts.uid_of("nobody-here"), Error);
  CHECK_THROWS_AS(accounts.gid_of("99999999999"), Error);
  CHECK(accounts.groups_of("web") == std::vector<std::string>{"adm", "ssl"});
  const RunAs as = accounts.run_as("web");
  CHECK(as.groups == std::vector<std::uint32_t>{33, 4, 44});
}

namespace {

constexpr const char* shown =
    "Type=notify\nNRestarts=2\nExecMainStartTimestampMonotonic=5283420\nCanReload=yes\nResult=success\nId=ssh.service\n"
    "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nActiveEnterTimestampMonotonic="
    "5299741\n"
    "NeedDaemonReload=yes\nInvocationID=3f0c8a\n"
    "\n"
    "Id=no-such.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\n"
    "ExecMainStartTimestampMonotonic=0\nActiveEnterTimestampMonotonic=0\nNeedDaemonReload=no\nInvocationID=\n"
    "\n"
    "Result=success\nId=apt-daily.timer\nLoadState=loaded\nActiveState=active\nSubState=waiting\nUnitFileState="
    "enabled\n"
    "ActiveEnterTimestampMonotonic=4711\nNeedDaemonReload=no\nInvocationID=aa\n";

}  // namespace

TEST_CASE("the blocks of systemctl show become units in their order") {
  const std::vector<UnitStatus> units = parse_units(shown);
  REQUIRE(units.size() == 3);
  CHECK(units[0].id == "ssh.service");
  CHECK(units[0].needs_daemon_reload);
  CHECK(units[0].can_reload);
  CHECK(units[0].restarts == 2);
  CHECK(units[0].started_monotonic_us == 5283420);
  CHECK(units[1].load == "not-found");
  CHECK(units[1].started_monotonic_us == 0);
  CHECK(units[2].sub == "waiting");
  CHECK(units[2].started_monotonic_us == 4711);  // what is no service became active then
}

TEST_CASE("only names of units become arguments of systemctl") {
  for (const char* good : {"nginx.service", "app@1.service", "a-b_c.timer", "dev-disk\\x2d.swap", "ssh.socket"}) {
    CHECK(is_unit_argument(good));
  }
  for (const char* bad :
       {"", "nginx", "-p.service", "a b.service", "../x.service", "x;y.service", ".service", "a.", "é.service"}) {
    CHECK_FALSE(is_unit_argument(bad));
  }
}

}  // namespace holdfast

TEST_CASE("a restart's downtime is from leaving the active state to being in it again", "[parsers]") {
  const auto text = [](const char* exit, const char* enter) {
    return std::string("ActiveExitTimestampMonotonic=") + exit + "\nActiveEnterTimestampMonotonic=" + enter + "\n";
  };
  CHECK(holdfast::down_ms_of(text("1000000", "1300500"), 900'000) == 301);
  CHECK_FALSE(holdfast::down_ms_of(text("1000000", "1300500"), 1'000'001));  // of an earlier restart
  CHECK_FALSE(holdfast::down_ms_of(text("0", "1300500"), 1));                // it never went down
  CHECK_FALSE(holdfast::down_ms_of(text("1300500", "1000000"), 1));          // it is down
  CHECK_FALSE(holdfast::down_ms_of("", 0));
}
