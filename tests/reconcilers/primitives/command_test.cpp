// Commands: run once for what they are for, known as cut off where they were, and taken back by their own undo.
#include "machine.hpp"

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/primitives/command.hpp>
#include <reconcilers/primitives/command_record.hpp>
#include <reconcilers/primitives/command_run.hpp>
#include <reconcilers/primitives/env_text.hpp>
#include <reconcilers/primitives/place.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

namespace holdfast {

using Catch::Matchers::Contains;

namespace {

std::vector<std::string> sh(const std::string& text) { return {"sh", "-c", text}; }

/// Programs work in /srv of the machine: relative paths in them lead there.
Wanted command(Map parameters) {
  Wanted wanted{.id = {PrimitiveType::command, "law"}, .attributes = {{"present", true}}};
  wanted.parameters = std::move(parameters);
  wanted.parameters["folder"] = "/srv";
  if (!wanted.parameters.contains("creates") && !wanted.parameters.contains("unless"))
    wanted.attributes["digest"] = command_digest(wanted, {});
  return wanted;
}

Wanted counted(const std::string& version) {
  return command({{"run", Value::texts(sh("echo " + version + " >> runs; echo made " + version + "; echo noise >&2"))},
                  {"undo", Value::texts(sh("cat >> undone"))}});
}

Attributes seen(TestMachine& machine, const Wanted& wanted) { return observe_one(*machine.system, wanted); }

const Attributes never{{"present", false}};

struct Fixture {
  TestMachine machine;
  TestVault vault{machine};

  void run(const Wanted& wanted) {
    const Attributes from = seen(machine, wanted);
    execute_all(machine, vault, wanted, steps_of(wanted, from, goal_of(*machine.system, vault, wanted, from)));
  }
  void undo(const Wanted& wanted, const Attributes& before) {
    execute_all(machine, vault, wanted, steps_of(wanted, seen(machine, wanted), before));
  }
};

}  // namespace

TEST_CASE("a command runs once for what it is for, and again for something else", "[command]") {
  Fixture host;
  CHECK(seen(host.machine, counted("1")) == never);
  host.run(counted("1"));
  CHECK(seen(host.machine, counted("1")).at("digest") == counted("1").attributes.at("digest"));
  CHECK(converge(host.machine, host.vault, counted("1")) == 0);
  host.run(counted("2"));
  CHECK(host.machine.read("/srv/runs") == "1\n2\n");
}

TEST_CASE("steps of a command done twice are done once, in both directions", "[command]") {
  Fixture host;
  const Wanted wanted = counted("1");
  const Attributes goal = goal_of(*host.machine.system, host.vault, wanted, never);
  for (int i = 0; i < 2; ++i) execute_all(host.machine, host.vault, wanted, steps_of(wanted, never, goal));
  CHECK(host.machine.read("/srv/runs") == "1\n");
  for (int i = 0; i < 2; ++i) execute_all(host.machine, host.vault, wanted, steps_of(wanted, goal, never));
  CHECK(host.machine.read("/srv/undone") == "made 1\n");
  CHECK(seen(host.machine, wanted) == never);
}

TEST_CASE("an undo reads what the command put out, and what it ran for goes back", "[command]") {
  Fixture host;
  host.run(counted("1"));
  const Attributes before = seen(host.machine, counted("1"));
  host.run(counted("2"));
  host.undo(counted("2"), before);
  CHECK(host.machine.read("/srv/undone") == "made 2\n");
  CHECK(seen(host.machine, counted("2")) == before);
  CHECK(converge(host.machine, host.vault, counted("1")) == 0);
}

TEST_CASE("a command that fails is known as cut off until it is undone", "[command]") {
  Fixture host;
  const Wanted wanted = command({{"run", Value::texts(sh("echo half; echo no space left >&2; exit 4"))},
                                 {"undo", Value::texts(sh("cat > undone"))}});
  CHECK_THROWS_WITH(host.run(wanted), Contains("exit 4") && Contains("no space left"));
  CHECK(seen(host.machine, wanted) == Attributes{{"present", true}, {"state", "cut_off"}});
  host.undo(wanted, never);
  CHECK(host.machine.read("/srv/undone") == "half\n");
  CHECK(seen(host.machine, wanted) == never);
}

TEST_CASE("a program that could not begin leaves nothing to undo", "[command]") {
  Fixture host;
  const Wanted wanted = command({{"run", Value::texts({"no-such-program"})}, {"undo", Value::texts({"false"})}});
  CHECK_THROWS_WITH(host.run(wanted), Contains("no-such-program"));
  CHECK(seen(host.machine, wanted) == never);
}

TEST_CASE("a command is killed at its deadline with what it started", "[command]") {
  Fixture host;
  Wanted wanted = command({{"run", Value::texts(sh("(sleep 4; echo late > late) & sleep 60"))}, {"timeout_ms", 300}});
  wanted.parameters["undo"] = Value::texts(sh("true"));
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_WITH(host.run(wanted), Contains("not done after 300 ms"));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));
  std::this_thread::sleep_for(std::chrono::seconds(5));
  CHECK_FALSE(host.machine.system->stat("/srv/late"));
}

TEST_CASE("a path that a command creates is its guard, and can be removed again", "[command]") {
  Fixture host;
  const Wanted wanted =
      command({{"run", Value::texts({"touch", "made"})}, {"creates", "/srv/made"}, {"undo", Map{{"remove", true}}}});
  CHECK(seen(host.machine, wanted) == never);
  host.run(wanted);
  CHECK(seen(host.machine, wanted) == Attributes{{"present", true}, {"state", "done"}});
  host.undo(wanted, never);
  CHECK_FALSE(host.machine.system->stat("/srv/made"));
  host.machine.write("/srv/made", "by somebody");
  CHECK(converge(host.machine, host.vault, wanted) == 0);

  const Wanted liar =
      command({{"run", Value::texts({"true"})}, {"creates", "/srv/never"}, {"undo", Map{{"remove", true}}}});
  CHECK_THROWS_WITH(host.run(liar), Contains("\"/srv/never\", which it should create, is not there"));
}

TEST_CASE("a guard decides by its exit code, and must be content afterwards", "[command]") {
  Fixture host;
  const Wanted wanted = command({{"run", Value::texts({"touch", "user"})},
                                 {"unless", Value::texts({"test", "-e", "user"})},
                                 {"undo", Value::texts({"rm", "user"})}});
  host.run(wanted);
  CHECK(converge(host.machine, host.vault, wanted) == 0);
  host.undo(wanted, never);
  CHECK(seen(host.machine, wanted) == never);
  Wanted nobody = wanted;
  nobody.parameters["user"] = "nobody-of-this-name";
  CHECK(seen(host.machine, nobody) == never);  // its account is yet to be made
  const Wanted liar =
      command({{"run", Value::texts({"true"})}, {"unless", Value::texts({"false"})}, {"irreversible", "x"}});
  CHECK_THROWS_WITH(host.run(liar), Contains("still says that it is to be done"));
}

TEST_CASE("what can't be undone is told, and only what it ran for goes back", "[command]") {
  Fixture host;
  Wanted wanted = counted("1");
  wanted.parameters.erase("undo");
  wanted.parameters["irreversible"] = "mails were sent";
  const Attributes goal = goal_of(*host.machine.system, host.vault, wanted, never);
  REQUIRE(steps_of(wanted, never, goal).irreversible.size() == 1);
  CHECK_THAT(steps_of(wanted, never, goal).irreversible.front(), Contains("mails were sent"));
  host.run(wanted);
  host.undo(wanted, never);
  CHECK(seen(host.machine, wanted) == never);
  CHECK(host.machine.read("/srv/runs") == "1\n");
}

TEST_CASE("an undo runs where the command ran, though the link leads elsewhere by then", "[command]") {
  Fixture host;
  host.machine.folder("/srv/new");
  host.machine.folder("/srv/old");
  host.machine.link("/srv/app", "new");
  Wanted wanted = counted("1");
  wanted.parameters["folder"] = "/srv/app";
  host.run(wanted);
  host.machine.system->put_link("/srv/app", "old");
  host.undo(wanted, never);
  CHECK(host.machine.read("/srv/new/undone") == "made 1\n");
}

TEST_CASE("links of a folder are followed, and circles refused", "[command]") {
  Fixture host;
  host.machine.folder("/srv/a");
  host.machine.folder("/srv/a/b");
  host.machine.link("/srv/one", "a/b");
  host.machine.link("/srv/two", "/srv/one");
  host.machine.link("/srv/a/b/up", "../../a");
  host.machine.link("/srv/circle", "circle");
  CHECK(real_folder(*host.machine.system, "/srv/two") == "/srv/a/b");
  CHECK(real_folder(*host.machine.system, "/srv/two/up/b") == "/srv/a/b");
  CHECK(real_folder(*host.machine.system, "/") == "/");
  CHECK_THROWS_WITH(real_folder(*host.machine.system, "/srv/circle/x"), Contains("too many links"));
}

TEST_CASE("a command has its environment from its file, if nobody else could have written that", "[command]") {
  Fixture host;
  host.machine.write("/srv/env", "A=\"x \\\"y\\\" \\$z\"\nB=\"file\"\n", 0600);
  Wanted wanted = command({{"run", Value::texts(sh("echo \"$A/$B\" > env-seen"))},
                           {"environment_file", "/srv/env"},
                           {"environment", Map{{"B", "map"}}},
                           {"irreversible", "x"}});
  host.run(wanted);
  CHECK(host.machine.read("/srv/env-seen") == "x \"y\" $z/map\n");
  if (!runs_as_root()) return;
  host.machine.write("/srv/env", "LD_PRELOAD=\"/tmp/x.so\"\n", 0600, 1001, 1001);
  wanted.parameters["run"] = Value::texts({"true", "again"});
  wanted.attributes["digest"] = command_digest(wanted, {});
  CHECK_THROWS_WITH(host.run(wanted), Contains("can be written by others"));
}

TEST_CASE("an environment file of another form is refused without its value", "[command]") {
  CHECK(parse_env("\nA=\"\"\n") == std::map<std::string, std::string>{{"A", ""}});
  for (const char* text : {"A=secret", "A=\"secret", "=\"secret\"", "A=\"sec\"ret\"", "secret"}) {
    CHECK_THROWS_WITH(parse_env(text), Contains("line 1") && !Contains("secret"));
  }
}

TEST_CASE("a record that can't be read means that the command is to be run", "[command]") {
  Fixture host;
  host.run(counted("1"));
  host.machine.write("/var/lib/holdfast/commands/law.json", "{\"digest\": ");
  CHECK(seen(host.machine, counted("1")).at("state") == Value("cut_off"));
  host.run(counted("1"));
  CHECK(converge(host.machine, host.vault, counted("1")) == 0);
  CHECK(command_log_path("../../etc/passwd").starts_with("/var/lib/holdfast/commands/%"));
}

}  // namespace holdfast
