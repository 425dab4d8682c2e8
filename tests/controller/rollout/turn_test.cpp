// Whole turns of an environment: a real git repository, the real host runner below a root prefix, real files.
#include <controller/plan/kept_plan.hpp>
#include <controller/rollout/controller.hpp>

#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

using namespace holdfast;
namespace fs = std::filesystem;

namespace {

/// A repository, hosts below folders of it, and a controller over them; all of it goes away at the end.
class Scene {
 public:
  explicit Scene(std::vector<std::string> hosts = {"a"}) : hosts_(std::move(hosts)) {
    std::string pattern = (fs::temp_directory_path() / "holdfast-turn-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    git("init -q -b main repository");
    for (const std::string& host : hosts_) fs::create_directories(root(host));
    ConnectOptions connect;
    connect.runner = HOLDFAST_HOST_PROGRAM;
    sessions_ = std::make_unique<SessionPool>(connect);
    store_ = Store::open(folder_ / "state.db");
    clock_ = system_clock();
    settings_.repository.url = (folder_ / "repository").string();
    settings_.state = (folder_ / "state").string();
    settings_.requested_by = "a test";
    settings_.mirror.fetch_program = {HOLDFAST_PROGRAM, "fetch-child"};
    worker_ = std::make_unique<EnvironmentWorker>(settings_, *sessions_, *store_, clock_, [this](const Progress& p) {
      const std::scoped_lock lock(mutex_);
      said_ += p.host + " " + p.text + "\n";
    });
    write("environment.yaml", environment("main"));
  }
  ~Scene() {
    worker_.reset();
    sessions_.reset();
    fs::remove_all(folder_);
  }

  [[nodiscard]] fs::path root(const std::string& host) const { return folder_ / "hosts" / host; }
  [[nodiscard]] std::string environment(const std::string& branch, const std::string& more = "") const {
    std::string text =
        "apiVersion: holdfast.dev/v1\nkind: Environment\nmetadata: {name: test}\nspec:\n  track: {branch: " + branch +
        more + "}\n  health: {window: 2s, interval: 500ms, passes: 1}\n  hosts:\n";
    for (const std::string& host : hosts_) {
      text += "    - {name: " + host + ", connection: local, root: " + root(host).string() + "}\n";
    }
    return text;
  }

  void write(const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / "repository" / path).parent_path());
    std::ofstream(folder_ / "repository" / path) << text;
  }
  std::string commit(const std::string& message) {
    git("-C repository add -A");
    git("-C repository -c user.name=t -c user.email=t@example.com commit -q --allow-empty -m '" + message + "'");
    return head();
  }
  void git(const std::string& words) const {
    const int status = std::system(("cd '" + folder_.string() + "' && git " + words).c_str());
    REQUIRE(status == 0);
  }
  [[nodiscard]] std::string head() const {
    std::ifstream in(folder_ / "repository/.git/refs/heads/main");
    std::string id;
    in >> id;
    return id;
  }

  EnvironmentReport turn() {
    const auto mirror = open_mirror(settings_);
    mirror->fetch(std::chrono::steady_clock::now() + std::chrono::seconds(60));
    const Policy policy = read_policy(*mirror, settings_);
    REQUIRE(policy.problems.empty());
    REQUIRE(policy.environments.size() == 1);
    return worker_->run(policy.environments.front(), policy.commit, {});
  }
  /// What a controller leaves behind that dies before it confirms: a folder at `path`.
  void leave_open(const std::string& path) {
    Host host;
    host.name = "a";
    host.connection = "local";
    host.root = root("a").string();
    const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto client = sessions_->fresh(host, deadline);
    Bundle bundle;
    bundle.wanted.push_back({.id = {PrimitiveType::directory, path}, .attributes = {{"present", true}}});
    const Plan plan = client->plan(bundle, {}, deadline).plan;
    const ApplyRequest request{.transaction = "t-left-open",
                               .epoch = store_->next_epoch(),
                               .bundle_digest = plan.bundle_digest,
                               .plan_digest = plan.digest,
                               .commit = head(),
                               .deadman_ms = 600'000};
    REQUIRE(client
                ->apply(
                    request, [](const Value&) {}, deadline)
                .state == "pending");
  }
  HostResult result(const std::string& host = "a") {
    const EnvironmentReport report = turn();
    for (const HostReport& one : report.hosts) {
      if (one.host == host) return one.result;
    }
    FAIL("host " << host << " had no turn\n" << said_);
    return HostResult::unknown;
  }
  [[nodiscard]] std::string read(const std::string& path, const std::string& host = "a") const {
    std::ifstream in(root(host).string() + path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  Store& store() { return *store_; }
  /// How many transactions the state file has seen: SQLite counts them in its header.
  [[nodiscard]] int transactions() const {
    std::ifstream file(folder_ / "state.db", std::ios::binary);
    file.seekg(24);
    int count = 0;
    for (int i = 0; i < 4; ++i) count = count * 256 + file.get();
    return count;
  }
  std::string& said() { return said_; }

 private:
  std::vector<std::string> hosts_;
  fs::path folder_;
  ControllerSettings settings_;
  Clock clock_;
  std::unique_ptr<SessionPool> sessions_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<EnvironmentWorker> worker_;
  std::string said_;
  std::mutex mutex_;
};

std::string motd(const std::string& text) {
  return "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: motd}\nspec:\n  path: /etc/motd\n  text: \"" +
         text + "\\n\"\n---\napiVersion: holdfast.dev/v1\nkind: Directory\nmetadata: {name: etc}\nspec: {path: /etc}\n";
}

/// A check of the host itself, so of the file below its root.
std::string check(const Scene& fleet, const std::string& host, const std::string& word) {
  return "---\napiVersion: holdfast.dev/v1\nkind: HealthCheck\nmetadata: {name: motd-" + host + ", hosts: [" + host +
         "]}\nspec:\n  command: {argv: [grep, -q, " + word + ", " + fleet.root(host).string() + "/etc/motd]}\n";
}

}  // namespace

TEST_CASE("a commit arrives, and the second turn finds nothing to do", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello"));
  const std::string commit = fleet.commit("first");
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "hello\n");
  CHECK(fleet.result() == HostResult::unchanged);
  REQUIRE(fleet.store().deployments("test", "", 10).size() == 1);
  CHECK(fleet.store().deployments("test", "", 10)[0].outcome == Outcome::deployed);
  CHECK(fleet.store().host("test", "a")->live_commit == commit);
}

TEST_CASE("a turn is told in the plan's words, and what came of each change is kept", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello") + check(fleet, "a", "good"));
  fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::rolled_back);
  CHECK(fleet.said().find(": 2 to create, 0 to change, 0 to remove\n") != std::string::npos);
  CHECK(
      fleet.said().find("done  + file:/etc/motd  group root, mode 0644, owner root, +1 -0  (File/motd motd.yaml:1)") !=
      std::string::npos);
  CHECK(fleet.said().find("undone  + file:/etc/motd") != std::string::npos);
  const Deployment one = fleet.store().deployments("test", "", 1).at(0);
  const TransactionResult result = kept_result(one.result);
  CHECK(result.changes.at("file:/etc/motd").state == "undone");
  CHECK(result.changes.at("file:/etc/motd").took_ms >= 0);
  REQUIRE(result.checks.size() == 1);
  CHECK_FALSE(result.checks.front().passed);
  const HostPlan plan = kept_plan(one.plan);
  CHECK(plan.kept_contents.at("file:/etc/motd").diff.find("+hello\n") != std::string::npos);
}

TEST_CASE("a drifted file is repaired alone and told as a repair", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello"));
  fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
  std::ofstream(fleet.root("a").string() + "/etc/motd") << "vandal";
  CHECK(fleet.result() == HostResult::repaired);
  CHECK(fleet.read("/etc/motd") == "hello\n");
  CHECK(fleet.store().deployments("test", "", 1)[0].cause == "drift");
}

TEST_CASE("a bad commit is undone, stays undone, and a fix goes out", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("good one") + check(fleet, "a", "good"));
  const std::string good = fleet.commit("good");
  REQUIRE(fleet.result() == HostResult::deployed);

  fleet.write("motd.yaml", motd("bad one") + check(fleet, "a", "good"));
  fleet.commit("bad");
  CHECK(fleet.result() == HostResult::rolled_back);
  CHECK(fleet.read("/etc/motd") == "good one\n");
  const auto after_bad = fleet.store().deployments("test", "", 10).size();
  for (int i = 0; i < 5; ++i) CHECK(fleet.result() == HostResult::held);
  CHECK(fleet.store().deployments("test", "", 10).size() == after_bad);
  CHECK(fleet.store().host("test", "a")->state == "held");
  CHECK(fleet.store().host("test", "a")->live_commit == good);

  SECTION("while it is held, drift in the old state is still repaired") {
    std::ofstream(fleet.root("a").string() + "/etc/motd") << "vandal";
    CHECK(fleet.result() == HostResult::held);
    CHECK(fleet.read("/etc/motd") == "good one\n");
  }
  SECTION("another commit that is good is deployed") {
    fleet.write("motd.yaml", motd("good two") + check(fleet, "a", "good"));
    fleet.commit("fix");
    CHECK(fleet.result() == HostResult::deployed);
    CHECK(fleet.read("/etc/motd") == "good two\n");
  }
  SECTION("a retry tries it once more") {
    fleet.store().remove_holds("test", "");
    CHECK(fleet.result() == HostResult::rolled_back);
    CHECK(fleet.result() == HostResult::held);
  }
}

TEST_CASE("a transaction left open for something else is undone, and what is wanted now goes out in the same turn",
          "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello"));
  fleet.commit("first");
  fleet.leave_open("/stray");
  REQUIRE(fs::exists(fleet.root("a") / "stray"));
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "hello\n");
  CHECK_FALSE(fs::exists(fleet.root("a") / "stray"));
  CHECK(fleet.result() == HostResult::unchanged);
}

TEST_CASE("a commit that fails on the canary reaches no other host", "[turn]") {
  Scene fleet({"a", "b", "c"});
  const auto checks = check(fleet, "a", "good") + check(fleet, "b", "good") + check(fleet, "c", "good");
  fleet.write("motd.yaml", motd("good") + checks);
  fleet.commit("good");
  for (const HostReport& one : fleet.turn().hosts) CHECK(one.result == HostResult::deployed);

  fleet.write("motd.yaml", motd("bad") + checks);
  fleet.commit("bad");
  fleet.turn();
  fleet.turn();
  int tried = 0;
  for (const Deployment& one : fleet.store().deployments("test", "", 20)) tried += one.outcome == Outcome::rolled_back;
  CHECK(tried == 1);
  for (const char* host : {"a", "b", "c"}) CHECK(fleet.read("/etc/motd", host) == "good\n");
  CHECK(fleet.store().host("test", "a")->state == "held");
  CHECK(fleet.store().host("test", "b")->state == "waiting");
}

TEST_CASE("a dead host in front takes no turn from the others, and is told once", "[turn]") {
  Scene fleet({"a", "b"});
  std::string text = fleet.environment("main");
  const std::string dead = "    - {name: dead, address: 127.0.0.1, port: 1, user: root}\n";
  text.insert(text.find("    - {name: a"), dead);
  fleet.write("environment.yaml", text);
  fleet.write("motd.yaml", motd("hello"));
  fleet.commit("first");
  std::map<std::string, HostResult> results;
  for (const HostReport& one : fleet.turn().hosts) results[one.host] = one.result;
  CHECK(results == std::map<std::string, HostResult>{
                       {"a", HostResult::deployed}, {"b", HostResult::deployed}, {"dead", HostResult::unreachable}});
  const HostRecord before = *fleet.store().host("test", "dead");
  CHECK(before.state == "unreachable");
  for (const HostReport& one : fleet.turn().hosts) CHECK(one.host != "dead");  // it waits for its next try
  CHECK(*fleet.store().host("test", "dead") == before);

  fleet.write("motd.yaml", motd("another"));
  fleet.commit("second");
  results.clear();
  for (const HostReport& one : fleet.turn().hosts) results[one.host] = one.result;
  CHECK(results["a"] == HostResult::deployed);
  CHECK(results["dead"] == HostResult::unreachable);  // something else is wanted of it: tried at once
  const std::string& said = fleet.said();
  CHECK(said.find("dead while connecting") != std::string::npos);
  CHECK(said.find("dead while connecting") == said.rfind("dead while connecting"));
}

TEST_CASE("a turn that finds nothing writes nothing but when hosts were seen", "[turn]") {
  Scene fleet({"a", "b"});
  fleet.write("motd.yaml", motd("hello"));
  fleet.commit("first");
  fleet.turn();
  const auto before = fleet.store().hosts("test");
  const int transactions = fleet.transactions();
  for (int i = 0; i < 2; ++i) {
    for (const HostReport& one : fleet.turn().hosts) CHECK(one.result == HostResult::unchanged);
  }
  CHECK(fleet.transactions() == transactions + 2);  // one a turn, not one for each host
  auto after = fleet.store().hosts("test");
  REQUIRE(after.size() == before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    CHECK(after[i].seen_ms > before[i].seen_ms);
    after[i].seen_ms = before[i].seen_ms;
    CHECK(after[i] == before[i]);
  }
}

TEST_CASE("a commit with a problem is refused whole and the last good one stays in force", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello"));
  fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
  fleet.write("broken.yaml", "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: x}\nspec: {pth: /etc/x}\n");
  fleet.write("motd.yaml", motd("changed"));
  fleet.commit("broken");
  std::ofstream(fleet.root("a").string() + "/etc/motd") << "vandal";
  const EnvironmentReport report = fleet.turn();
  CHECK_FALSE(report.problems.empty());
  CHECK(exit_code(report) == 1);
  CHECK(fleet.read("/etc/motd") == "hello\n");
  CHECK(fleet.store().environment("test")->state == "refused");
}

TEST_CASE("rewritten history is refused unless the policy allows it", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  fleet.commit("first");
  fleet.write("motd.yaml", motd("two"));
  fleet.commit("second");
  REQUIRE(fleet.result() == HostResult::deployed);
  fleet.git("-C repository reset -q --hard HEAD~1");
  fleet.write("motd.yaml", motd("three"));
  fleet.commit("another second");
  const EnvironmentReport report = fleet.turn();
  CHECK(report.refused.find("rewritten") != std::string::npos);
  CHECK(exit_code(report) == 4);
  CHECK(fleet.read("/etc/motd") == "two\n");

  fleet.write("environment.yaml", fleet.environment("main", ", rewrites: allow"));
  fleet.commit("allow it");
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "three\n");
}

TEST_CASE("what a manifest no longer names is removed, and foreign files stay", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("hello"));
  fleet.write("other.yaml",
              "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: o}\nspec: {path: /etc/other, text: x}\n");
  fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
  std::ofstream(fleet.root("a").string() + "/etc/foreign") << "mine";
  fs::remove(fs::path(fleet.root("a")) / "../../repository/other.yaml");
  fleet.commit("remove other");
  CHECK(fleet.result() == HostResult::deployed);
  CHECK_FALSE(fs::exists(fleet.root("a").string() + "/etc/other"));
  CHECK(fleet.read("/etc/foreign") == "mine");
}

TEST_CASE("a person's rollback holds until the branch moves", "[turn]") {
  Scene fleet;
  fleet.write("motd.yaml", motd("one"));
  const std::string first = fleet.commit("first");
  REQUIRE(fleet.result() == HostResult::deployed);
  fleet.write("motd.yaml", motd("two"));
  const std::string second = fleet.commit("second");
  REQUIRE(fleet.result() == HostResult::deployed);
  fleet.store().put_pin({.environment = "test", .head = second, .target = first, .requested_by = "p", .reason = "r"});
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "one\n");
  CHECK(fleet.result() == HostResult::unchanged);
  CHECK(fleet.store().deployments("test", "", 1)[0].cause == "rollback");
  fleet.write("motd.yaml", motd("three"));
  fleet.commit("third");
  CHECK(fleet.result() == HostResult::deployed);
  CHECK(fleet.read("/etc/motd") == "three\n");
}
