// The laws of packages, accounts and units, which need a whole machine: run on a throw-away host only, as root, by
// tests/hosts. Linked statically, as the host runner is.
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/primitives/loaded.hpp>
#include <reconcilers/primitives/place.hpp>
#include <reconcilers/primitives/secrets.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>

namespace holdfast {

using Catch::Matchers::Contains;

namespace {

class NoVault : public Vault {
 public:
  [[nodiscard]] std::string path_of(const std::string& digest) const override { throw Error("no vault has " + digest); }
  [[nodiscard]] bool has(const std::string&) const override { return false; }
};

struct Machine {
  Machine() {
    const char* throw_away = std::getenv("HOLDFAST_THROW_AWAY_HOST");
    if (throw_away == nullptr)
      FAIL("this test changes the whole machine: set HOLDFAST_THROW_AWAY_HOST on one to throw away");
  }

  [[nodiscard]] Attributes observe(const Wanted& wanted) const {
    const Wanted* const question = &wanted;
    Attributes state = primitive_kind(wanted.id.type).observe(*system, {&question, 1}).at(0);
    state.erase("invocation");
    state.erase("started_us");
    state.erase("changed_us");
    return state;
  }
  [[nodiscard]] Attributes goal(const Wanted& wanted, const Attributes& from) const {
    const Attributes resolved = resolve_wanted(*system, vault, wanted);
    return is_present(resolved) ? overlay(from, resolved) : resolved;
  }
  void execute(const Wanted& wanted, const Steps& steps) {
    Effects effects{*system, vault};
    for (const Step& step : steps.list) primitive_kind(wanted.id.type).execute(effects, step);
  }
  /// Apply, see, repeat, undo.
  void hold_laws(const Wanted& wanted) {
    const PrimitiveKind& kind = primitive_kind(wanted.id.type);
    const Attributes from = observe(wanted);
    const Attributes to = goal(wanted, from);
    INFO(to_text(wanted.id) << "\nfrom " << to_json(from) << "\nto " << to_json(to));
    execute(wanted, kind.steps(wanted, from, to));
    const Attributes after = observe(wanted);
    for (const auto& [key, value] : goal(wanted, from)) {
      if (wanted.attributes.contains(key)) CHECK(after.at(key) == value);
    }
    CHECK(kind.steps(wanted, after, goal(wanted, after)).list.empty());
    execute(wanted, kind.steps(wanted, from, to));
    CHECK(observe(wanted) == after);
    execute(wanted, kind.steps(wanted, to, from));
    CHECK(observe(wanted) == from);
  }
  void converge(const Wanted& wanted) {
    const Attributes from = observe(wanted);
    execute(wanted, primitive_kind(wanted.id.type).steps(wanted, from, goal(wanted, from)));
  }
  void shell(const std::string& text) {
    const Command command{.argv = {"sh", "-c", text}};
    const Output output = system->run(command);
    if (!output.ok()) throw Error(describe_failure(command, output));
  }
  void unit_file(const std::string& name, const std::string& text) {
    system->write("/etc/systemd/system/" + name, text, {});
    shell("systemctl daemon-reload");
  }

  std::unique_ptr<System> system = make_linux_system("/");
  NoVault vault;
};

Wanted group(const std::string& name, Attributes attributes) {
  return {.id = {PrimitiveType::group, name}, .attributes = std::move(attributes)};
}
Wanted user(const std::string& name, Attributes attributes) {
  return {.id = {PrimitiveType::user, name}, .attributes = std::move(attributes)};
}
Wanted unit(const std::string& name, Attributes attributes) {
  return {.id = {PrimitiveType::unit, name}, .attributes = std::move(attributes)};
}
Wanted package(const std::string& name, Attributes attributes) {
  return {.id = {PrimitiveType::package, name}, .attributes = std::move(attributes)};
}

constexpr const char* sleeper = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n";

}  // namespace

TEST_CASE("the laws hold for groups") {
  Machine machine;
  machine.hold_laws(group("law-a", {{"present", true}}));
  machine.hold_laws(group("law-a", {{"present", true}, {"gid", 7001}}));
  machine.converge(group("law-a", {{"present", true}, {"gid", 7001}}));
  machine.hold_laws(group("law-a", {{"present", true}, {"gid", 7002}}));
  machine.hold_laws(group("law-a", {{"present", false}}));
}

TEST_CASE("the laws hold for users") {
  Machine machine;
  machine.converge(group("law-b", {{"present", true}}));
  const Attributes full{
      {"present", true},    {"uid", 7010},        {"group", "law-b"},        {"groups", List{"adm", "www-data"}},
      {"home", "/srv/law"}, {"shell", "/bin/sh"}, {"comment", "A law, kept"}};
  machine.hold_laws(user("law-u", {{"present", true}}));
  machine.hold_laws(user("law-u", full));
  machine.converge(user("law-u", full));
  machine.hold_laws(
      user("law-u", {{"present", true}, {"shell", "/bin/bash"}, {"groups", List{"games"}}, {"comment", ""}}));
  Wanted exclusive = user("law-u", {{"present", true}, {"groups", List{"games"}}});
  exclusive.parameters["exclusive_groups"] = true;
  machine.hold_laws(exclusive);
  exclusive.attributes["groups"] = List();
  machine.hold_laws(exclusive);
  machine.hold_laws(user("law-u", {{"present", false}}));
}

TEST_CASE("a new user can't log in with a password, and gets a home where one is wanted") {
  Machine machine;
  Wanted wanted = user("law-h", {{"present", true}, {"home", "/home/law-h"}});
  wanted.parameters["create_home"] = true;
  machine.converge(wanted);
  CHECK_THAT(machine.system->read("/etc/shadow", 1U << 20U).value(), Contains("law-h:!"));
  CHECK(machine.system->stat("/home/law-h")->type == FileType::directory);
}

TEST_CASE("the laws hold for units") {
  Machine machine;
  machine.unit_file("law.service", sleeper);
  machine.hold_laws(unit("law.service", {{"enabled", "enabled"}, {"active", "running"}, {"daemon", "current"}}));
  machine.converge(unit("law.service", {{"enabled", "enabled"}, {"active", "running"}}));
  machine.hold_laws(unit("law.service", {{"active", "stopped"}}));
  machine.hold_laws(unit("law.service", {{"enabled", "disabled"}}));
  machine.hold_laws(unit("law.service", {{"enabled", "disabled"}, {"active", "stopped"}}));
  machine.hold_laws(
      unit("no-such-law.service", {{"enabled", "disabled"}, {"active", "stopped"}, {"daemon", "current"}}));
  machine.system->write("/usr/lib/systemd/system/law-m.service", sleeper, {});
  machine.hold_laws(unit("law-m.service", {{"enabled", "masked"}, {"active", "stopped"}}));
}

TEST_CASE("a unit whose file changed is told to systemd before it starts again") {
  Machine machine;
  machine.unit_file("law-d.service", sleeper);
  machine.converge(unit("law-d.service", {{"active", "running"}}));
  machine.system->write("/etc/systemd/system/law-d.service", "[Service]\nExecStart=/bin/sleep 4711\n", {});
  CHECK(machine.observe(unit("law-d.service", {})).at("daemon") == Value("stale"));
  Effects effects{*machine.system, machine.vault};
  primitive_kind(PrimitiveType::unit).execute(effects, {"unit.restart", {{"name", "law-d.service"}}});
  CHECK(machine.observe(unit("law-d.service", {})).at("daemon") == Value("current"));
  machine.shell("grep -q 4711 /proc/$(systemctl show -P MainPID law-d.service)/cmdline");
}

TEST_CASE("a service that dies at once fails its step with its journal") {
  Machine machine;
  machine.unit_file("law-x.service", "[Service]\nExecStart=/bin/sh -c 'echo port is taken; exit 3'\n");
  CHECK_THROWS_WITH(machine.converge(unit("law-x.service", {{"active", "running"}})), Contains("port is taken"));
  CHECK(machine.observe(unit("law-x.service", {})).at("active") == Value("failed"));
  machine.unit_file("law-x.service", sleeper);
  machine.converge(unit("law-x.service", {{"active", "running"}}));
  CHECK(machine.observe(unit("law-x.service", {})).at("active") == Value("running"));
}

TEST_CASE("a unit is started however often it was started before") {
  Machine machine;
  machine.unit_file("law-o.service", "[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=2\n" + std::string(sleeper));
  machine.converge(unit("law-o.service", {{"active", "running"}}));
  Effects effects{*machine.system, machine.vault};
  for (int again = 0; again < 4; ++again) {
    primitive_kind(PrimitiveType::unit).execute(effects, {"unit.restart", {{"name", "law-o.service"}}});
  }
  for (int again = 0; again < 4; ++again) {
    machine.converge(unit("law-o.service", {{"active", "stopped"}}));
    machine.converge(unit("law-o.service", {{"active", "running"}}));
  }
  CHECK(machine.observe(unit("law-o.service", {})).at("active") == Value("running"));
}

TEST_CASE("a failed unit is left clean where it is to be stopped") {
  Machine machine;
  machine.unit_file("law-f.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n");
  machine.shell("systemctl start law-f.service || true");
  CHECK(machine.observe(unit("law-f.service", {})).at("active") == Value("failed"));
  machine.converge(unit("law-f.service", {{"active", "stopped"}}));
  CHECK(machine.observe(unit("law-f.service", {})).at("active") == Value("stopped"));
}

TEST_CASE("a unit that can't be enabled says why") {
  Machine machine;
  machine.unit_file("law-s.service", "[Service]\nExecStart=/bin/sleep infinity\n");
  CHECK_THROWS_WITH(machine.converge(unit("law-s.service", {{"enabled", "enabled"}})), Contains("[Install]"));
}

TEST_CASE(
    "what a unit has loaded is remembered for its invocation, told from the times for another, and unknown after a "
    "change") {
  Machine machine;
  const PrimitiveId conf{PrimitiveType::file, "/etc/law.conf"};
  Wanted wanted = unit("law-l.service", {{"active", "running"}});
  wanted.parameters = {{"loads", List{to_text(conf)}}, {"on_change", "restart"}};
  const auto loaded = [&] {
    const Wanted file{.id = conf};
    const Wanted* const question = &wanted;
    const Attributes state = primitive_kind(PrimitiveType::unit).observe(*machine.system, {&question, 1}).at(0);
    return observed_loaded(*machine.system, wanted.id.name, state, {{conf, machine.observe(file)}}).value_or("nothing");
  };
  const auto on_disk = [&] { return loaded_digest({{conf, machine.observe({.id = conf})}}); };
  machine.system->write("/etc/law.conf", "one", {});
  machine.unit_file("law-l.service", sleeper);
  CHECK(loaded() == "nothing");
  machine.shell("sleep 0.1; systemctl start law-l.service");
  CHECK(loaded() == on_disk());
  machine.system->write("/etc/law.conf", "two", {});
  CHECK(loaded() == "unknown");
  const Attributes running{{"active", "running"}, {"loaded", "unknown"}};
  machine.execute(
      wanted, primitive_kind(PrimitiveType::unit).steps(wanted, running, overlay(running, {{"loaded", on_disk()}})));
  CHECK(loaded() == on_disk());
  const std::string before = on_disk();
  machine.system->write("/etc/law.conf", "three", {});
  CHECK(loaded() == before);  // the process still has what it was started with
}

TEST_CASE("the laws hold for packages") {
  Machine machine;
  machine.hold_laws(package("hello-holdfast", {{"present", true}}));
  machine.hold_laws(package("hello-holdfast", {{"present", true}, {"version", "1.0"}}));
  machine.converge(package("hello-holdfast", {{"present", true}, {"version", "1.0"}}));
  machine.hold_laws(package("hello-holdfast", {{"present", true}, {"version", "1.1"}}));
  machine.hold_laws(package("hello-holdfast", {{"present", false}}));
  CHECK_THROWS_WITH(machine.converge(package("no-such-holdfast", {{"present", true}})), Contains("no-such-holdfast"));
}

TEST_CASE("a package that does not install is seen as broken, and its undo leaves dpkg whole") {
  Machine machine;
  const Wanted wanted = package("broken-holdfast", {{"present", true}});
  const Attributes from = machine.observe(wanted);
  CHECK_THROWS_WITH(machine.converge(wanted), Contains("broken-holdfast"));
  const Attributes now = machine.observe(wanted);
  CHECK(now.at("state") == Value("broken"));
  machine.execute(wanted, primitive_kind(PrimitiveType::package).steps(wanted, now, from));
  CHECK(machine.observe(wanted) == from);
  machine.shell("test -z \"$(dpkg --audit)\"");
}

}  // namespace holdfast
