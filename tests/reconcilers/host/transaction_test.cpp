#include "runner.hpp"
#include "temporary.hpp"

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/host/transaction_record.hpp>

#include <catch2/catch.hpp>

#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

using namespace holdfast;
using namespace std::chrono_literals;

namespace {

/// A root that is like a machine's, with a file that was there before.
struct Root {
  Root() {
    for (const char* name : {"etc", "srv", "opt", "var/lib"}) std::filesystem::create_directories(folder / name);
    write_file(folder / "etc/motd", "old\n");
  }
  TemporaryFolder folder{};
};

void wait_for(const std::string& what, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) FAIL("waited in vain for " << what);
    std::this_thread::sleep_for(5ms);
  }
}

std::string state_of(const Host& host) { return read_transaction(State(host.root), host.transaction).state; }

std::vector<std::string> action_ids(const Value& plan) {
  std::vector<std::string> ids;
  for (const Value& one : plan.at("actions").as_list()) ids.push_back(one.at("id").as_text());
  return ids;
}

void describe(Host& host) {
  host.directory("/srv/app", 0750).file("/srv/app/config", "port 80\n", 0640).link("/srv/app/current", "config");
  host.directory("/srv/releases").tree("/srv/releases/c1", {{"main.py", "print()\n"}});
  host.file("/etc/motd", "new\n").tree("/opt/app-1", {{"main.py", "print()\n"}, {"lib/a.py", "a = 1\n"}});
}

}  // namespace

TEST_CASE("a transaction makes what is wanted, and a second plan has nothing to do", "[transaction]") {
  const Root root;
  Runner runner(root.folder.path());
  Host host(root.folder.path());
  describe(host);
  host.converge(runner);
  const auto seen = picture(host.root);
  CHECK(seen.at("/srv/app") == "488 directory");
  CHECK(seen.at("/srv/app/config") == "416 port 80\n");
  CHECK(seen.at("/srv/app/current") == "-> config");
  CHECK(seen.at("/etc/motd") == "420 new\n");
  CHECK(seen.at("/opt/app-1/lib/a.py") == "420 a = 1\n");
  CHECK(action_ids(host.plan(runner)).empty());
  CHECK(runner.ask({{"do", "status"}}).at("generation").at("transaction") == Value(host.transaction));
  CHECK(Runner(host.root).hello().find("open") == nullptr);
}

TEST_CASE("a rolled back transaction leaves the host as it was", "[transaction]") {
  const Root root;
  Runner runner(root.folder.path());
  Host host(root.folder.path());
  const auto before = picture(host.root);
  describe(host);
  REQUIRE(host.apply(runner).at("state") == Value("pending"));
  CHECK(picture(host.root) != before);
  const Value reply = host.rollback(runner);
  CHECK(reply.at("state") == Value("rolled_back"));
  CHECK(picture(host.root) == before);
  CHECK(host.rollback(runner).at("state") == Value("rolled_back"));
  CHECK(host.confirm(runner).at("state") == Value("rolled_back"));
}

TEST_CASE("a file that someone drifted is put right alone", "[transaction]") {
  const Root root;
  Runner runner(root.folder.path());
  Host host(root.folder.path());
  describe(host);
  host.converge(runner);
  ::chmod((host.root + "/srv/app/config").c_str(), 0666);
  CHECK(action_ids(host.plan(runner)) == std::vector<std::string>{"file:/srv/app/config"});
  host.converge(runner);
  CHECK(picture(host.root).at("/srv/app/config") == "416 port 80\n");
}

TEST_CASE("a build step that fails undoes what was done before it", "[transaction]") {
  const Root root;
  Runner runner(root.folder.path());
  Host host(root.folder.path());
  const auto before = picture(host.root);
  host.directory("/srv/app").tree("/opt/app-1", {{"main.py", "x\n"}}, {"/bin/sh", "-c", "echo built half; exit 3"});
  host.file("/etc/motd", "new\n");
  const Value reply = host.apply(runner);
  CHECK(reply.at("state") == Value("rolled_back"));
  CHECK(reply.at("failure").at("id") == Value("tree:/opt/app-1"));
  CHECK(to_json(reply).find("built half") != std::string::npos);
  CHECK(read_file(host.root + "/etc/motd") == "old\n");
  CHECK_FALSE(std::filesystem::exists(host.root + "/srv/app"));
}

TEST_CASE("a file's validator judges before anything live changes", "[transaction]") {
  const Root root;
  Runner runner(root.folder.path());
  Host host(root.folder.path());
  const auto before = picture(host.root);
  host.file("/etc/a", "first\n")
      .file("/etc/b", "wrong\n", 0644, {{"validate", Value::texts({"/bin/grep", "-q", "right", "{}"})}});
  const Value reply = host.apply(runner);
  CHECK(reply.at("state") == Value("rolled_back"));
  CHECK(reply.at("failure").at("id") == Value("file:/etc/b"));
  CHECK(picture(host.root) == before);
  host.file("/etc/b", "right\n", 0644, {{"validate", Value::texts({"/bin/grep", "-q", "right", "{}"})}});
  host.converge(runner);
}

TEST_CASE("apply is refused where the host changed since the plan was made", "[transaction]") {
  const Root root;
  Runner runner(root.folder.path());
  Host host(root.folder.path());
  describe(host);
  const Value planned = host.plan(runner);
  for (const std::string& digest : planned.at("missing").as_texts()) runner.send_blob(host.contents.at(digest));
  write_file(host.root + "/etc/motd", "someone was here\n");
  const auto before = picture(host.root);
  const Value reply = runner.ask({{"do", "apply"},
                                  {"transaction", "test-refused-1"},
                                  {"epoch", 1},
                                  {"bundle_digest", planned.at("bundle_digest")},
                                  {"plan_digest", planned.at("digest")},
                                  {"commit", "c"},
                                  {"deadman_ms", 60'000}});
  CHECK(reply.at("state") == Value("refused"));
  CHECK(reply.at("failure").at("what").as_text().find("the host changed") != std::string::npos);
  CHECK(picture(host.root) == before);
}

TEST_CASE("one transaction at a time, and lower epochs are refused", "[transaction]") {
  const Root root;
  Runner runner(root.folder.path());
  Host host(root.folder.path());
  describe(host);
  REQUIRE(host.apply(runner, 5).at("state") == Value("pending"));
  Host other(root.folder.path());
  other.file("/etc/other", "x\n");
  CHECK(other.apply(runner, 5).at("state") == Value("refused"));
  CHECK_THROWS_AS(host.confirm(runner, 4), Error);
  CHECK_THROWS_AS(host.rollback(runner, 4), Error);
  CHECK(host.confirm(runner, 5).at("state") == Value("confirmed"));
  CHECK(host.confirm(runner, 5).at("state") == Value("confirmed"));
  const Value late = other.apply(runner, 4);
  CHECK(late.at("state") == Value("refused"));
  CHECK(late.at("failure").at("what").as_text().find("epoch") != std::string::npos);
}

TEST_CASE("an undo that fails once is tried again, and one that goes on failing is told", "[transaction]") {
  const Root root;
  Runner runner(root.folder.path());
  Host host(root.folder.path());
  describe(host);
  host.apply(runner);
  const auto roll_back = [&](const std::string& failpoints) {
    write_file(root.folder / "var/lib/holdfast/failpoints", failpoints);
    return runner.ask({{"do", "rollback"}, {"transaction", host.transaction}, {"epoch", 1}, {"reason", "a test"}});
  };

  SECTION("once") {
    CHECK(roll_back("recover:undo.begun error:EIO\n").at("state").as_text() == "rolled_back");
    CHECK(read_file(root.folder / "etc/motd") == "old\n");
  }
  SECTION("always") {
    std::string lines;
    for (int i = 0; i < 200; ++i) lines += "recover:undo.begun error:EIO\n";
    const Value reply = roll_back(lines);
    CHECK(reply.at("state").as_text() == "rollback_failed");
    CHECK_THAT(to_json(reply.at("left")), Catch::Contains("file:/etc/motd"));
  }
}

TEST_CASE("a rollback leaves alone what someone else edited since", "[transaction]") {
  const Root root;
  Runner runner(root.folder.path());
  Host host(root.folder.path());
  describe(host);
  REQUIRE(host.apply(runner).at("state") == Value("pending"));
  write_file(host.root + "/etc/motd", "a person's\n");
  const Value reply = host.rollback(runner);
  CHECK(reply.at("state") == Value("rolled_back"));
  REQUIRE(reply.at("left").as_list().size() == 1);
  CHECK(reply.at("left").as_texts().front().find("file:/etc/motd") == 0);
  CHECK(read_file(host.root + "/etc/motd") == "a person's\n");
  CHECK_FALSE(std::filesystem::exists(host.root + "/srv/app/config"));
}

TEST_CASE("what is no longer wanted goes where holdfast made it, and stays where it did not", "[transaction][prune]") {
  const Root root;
  Runner runner(root.folder.path());
  Host host(root.folder.path());
  describe(host);
  host.directory("/srv/filled").file("/srv/filled/own", "x\n");
  host.converge(runner);
  write_file(host.root + "/srv/filled/data", "data\n");
  Host less(root.folder.path());
  less.file("/etc/kept", "x\n");
  const auto before = picture(host.root);
  const Value pruned = less.apply(runner);
  INFO(to_json(pruned));
  REQUIRE(pruned.at("state") == Value("pending"));
  REQUIRE(less.rollback(runner).at("state") == Value("rolled_back"));
  CHECK(picture(host.root) == before);
  less.converge(runner);
  const auto seen = picture(host.root);
  CHECK_FALSE(seen.contains("/srv/app"));
  CHECK_FALSE(seen.contains("/opt/app-1"));
  CHECK_FALSE(seen.contains("/srv/releases"));
  CHECK_FALSE(seen.contains("/srv/filled/own"));
  CHECK(seen.at("/srv/filled/data") == "420 data\n");
  CHECK(seen.at("/etc/motd") == "420 new\n");
  CHECK(action_ids(less.plan(runner)).empty());
}

TEST_CASE("a transaction that nobody confirms undoes itself", "[transaction][deadman]") {
  const Root root;
  Host host(root.folder.path());
  const auto before = picture(host.root);
  host.file("/etc/motd", "new\n").file("/etc/more", "x\n");
  {
    Runner runner(root.folder.path());
    REQUIRE(host.apply(runner, 1, 1'000).at("state") == Value("pending"));
  }
  wait_for("the dead-man's switch", [&] { return state_of(host) == "rolled_back"; });
  CHECK(picture(host.root) == before);
  Runner runner(root.folder.path());
  CHECK(host.confirm(runner).at("state") == Value("rolled_back"));
}

TEST_CASE("a client that comes later sees every event from the first one on", "[transaction]") {
  const Root root;
  Host host(root.folder.path());
  host.file("/etc/motd", "new\n");
  std::vector<Value> first;
  {
    Runner runner(root.folder.path());
    REQUIRE(host.apply(runner).at("state") == Value("pending"));
    first = runner.events;
  }
  Runner runner(root.folder.path());
  CHECK(runner.hello().at("open").at("transaction") == Value(host.transaction));
  const Value reply = runner.ask({{"do", "attach"}, {"transaction", host.transaction}});
  CHECK(reply.at("state") == Value("pending"));
  CHECK(runner.events == first);
  CHECK(host.rollback(runner).at("state") == Value("rolled_back"));
}

TEST_CASE("secrets are made on the host and leave it in no plan", "[transaction][secret]") {
  const Root root;
  Runner runner(root.folder.path());
  Host host(root.folder.path());
  const std::string placeholder = sha256("app/KEY").substr(0, 40);
  const Map secrets{{placeholder, Map{{"id", "app/KEY"}, {"generate", Map{{"bytes", 16}, {"format", "hex"}}}}}};
  host.file("/srv/env", "KEY=" + placeholder + "\n", 0600, {{"secrets", secrets}, {"sensitive", true}});
  host.converge(runner);
  const std::string made = read_file(host.root + "/srv/env");
  CHECK(made.size() == 4 + 32 + 1);
  CHECK(made.find(placeholder) == std::string::npos);
  CHECK(action_ids(host.plan(runner)).empty());
  write_file(host.root + "/srv/env", "KEY=guess\n");
  const std::string shown = to_json(host.plan(runner));
  CHECK(shown.find("hmac:") != std::string::npos);
  CHECK(shown.find(sha256(made)) == std::string::npos);
  host.converge(runner);
  CHECK(read_file(host.root + "/srv/env") == made);
}
