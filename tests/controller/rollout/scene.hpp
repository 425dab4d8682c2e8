#pragma once

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
#include <thread>

namespace holdfast {

namespace fs = std::filesystem;

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
    clock_ = system_clock();
    settings_.repository.url = (folder_ / "repository").string();
    settings_.state = (folder_ / "state").string();
    settings_.requested_by = "a test";
    fs::create_directories(folder_ / "state");
    store_ = Store::open(folder_ / "state/state.db");
    settings_.mirror.fetch_program = {HOLDFAST_PROGRAM, "fetch-child"};
    make_worker();
    write("environment.yaml", environment("main"));
    std::ofstream(folder_ / "holdfast.yaml")
        << "apiVersion: holdfast.dev/v1\nkind: Controller\nmetadata: {name: test}\nspec:\n  repository: {url: \"file://"
        << settings_.repository.url << "\"}\n  poll: 1s\n  state: " << settings_.state
        << "\n  runner: " << HOLDFAST_HOST_PROGRAM << "\n";
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

  Policy fetched_policy() {
    const auto mirror = open_mirror(settings_);
    mirror->fetch(std::chrono::steady_clock::now() + std::chrono::seconds(60));
    Policy policy = read_policy(*mirror, settings_);
    REQUIRE(policy.problems.empty());
    REQUIRE(policy.environments.size() == 1);
    return policy;
  }
  EnvironmentReport turn() {
    const Policy policy = fetched_policy();
    return worker_->run(policy.environments.front(), policy.commit, {});
  }
  /// As the daemon does: the hosts' turns go on after it.
  void poll() {
    const Policy policy = fetched_policy();
    worker_->poll(policy.environments.front(), policy.commit);
  }
  /// Within 20 s.
  static bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 400; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
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
  ControllerSettings& settings() { return settings_; }
  /// The settings as they are now, and nothing that an earlier turn remembered.
  void begin_again() {
    worker_.reset();
    make_worker();
  }
  [[nodiscard]] fs::path folder() const { return folder_; }
  /// Options for another state folder.
  [[nodiscard]] std::string state_option(const std::string& name) const {
    return "--state '" + (folder_ / name).string() + "' ";
  }
  /// The real program beside us, on the same state, with a file of failpoints; its exit code, 137 after a kill.
  int run_program(const std::string& words, const std::string& failpoints = "") {
    std::ofstream(folder_ / "failpoints") << failpoints << "\n";
    const std::string line = "cd '" + folder_.string() +
                             "' && HOLDFAST_FAILPOINTS=failpoints '" HOLDFAST_PROGRAM "' --config holdfast.yaml " +
                             words + " > output 2>&1";
    const int status = std::system(line.c_str());
    std::ifstream in(folder_ / "output");
    std::stringstream text;
    text << in.rdbuf();
    output_ = text.str();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] const std::string& output() const { return output_; }
  /// The runner on the host itself, as its dead-man's switch or its boot would start it.
  int run_runner(const std::string& words, const std::string& host = "a") const {
    const std::string line = "'" HOLDFAST_HOST_PROGRAM "' --root '" + root(host).string() + "' " + words;
    const int status = std::system(line.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  /// How many transactions the state file has seen: SQLite counts them in its header.
  [[nodiscard]] int transactions() const {
    std::ifstream file(folder_ / "state/state.db", std::ios::binary);
    file.seekg(24);
    int count = 0;
    for (int i = 0; i < 4; ++i) count = count * 256 + file.get();
    return count;
  }
  std::string& said() { return said_; }

 private:
  void make_worker() {
    worker_ = std::make_unique<EnvironmentWorker>(settings_, *sessions_, *store_, clock_, [this](const Progress& p) {
      const std::scoped_lock lock(mutex_);
      said_ += p.host + " " + p.text + "\n";
    });
  }

  std::vector<std::string> hosts_;
  fs::path folder_;
  ControllerSettings settings_;
  Clock clock_;
  std::unique_ptr<SessionPool> sessions_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<EnvironmentWorker> worker_;
  std::string said_;
  std::string output_;
  std::mutex mutex_;
};

inline std::string motd(const std::string& text) {
  return "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: motd}\nspec:\n  path: /etc/motd\n  text: \"" +
         text + "\\n\"\n---\napiVersion: holdfast.dev/v1\nkind: Directory\nmetadata: {name: etc}\nspec: {path: /etc}\n";
}

/// A check of the host itself, so of the file below its root.
inline std::string check(const Scene& fleet, const std::string& host, const std::string& word) {
  return "---\napiVersion: holdfast.dev/v1\nkind: HealthCheck\nmetadata: {name: motd-" + host + ", hosts: [" + host +
         "]}\nspec:\n  command: {argv: [grep, -q, " + word + ", " + fleet.root(host).string() + "/etc/motd]}\n";
}

}  // namespace holdfast
