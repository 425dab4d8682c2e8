// A real repository, the real runner below a folder, and a commit that is bad.
#include "notify_scene.hpp"

#include <controller/rollout/controller.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace holdfast;
using namespace holdfast::test;
namespace fs = std::filesystem;

namespace {

void run(const std::string& command) { REQUIRE(std::system(command.c_str()) == 0); }

/// A fleet of one folder whose greeting must be good.
class Greeting {
 public:
  explicit Greeting(const std::string& folder) : folder_(folder) {
    fs::create_directories(folder_ + "/root");
    run("git init -q -b main '" + folder_ + "/fleet'");
    std::ofstream(folder_ + "/fleet/environment.yaml")
        << "apiVersion: holdfast.dev/v1\nkind: Environment\nmetadata: {name: production}\nspec:\n  track: {branch: "
           "main}\n  health: {window: 2s, interval: 500ms, passes: 1}\n  hosts:\n    - {name: a, connection: local, "
           "root: "
        << folder_ << "/root}\n";
  }
  void commit(const std::string& greeting) const {
    std::ofstream(folder_ + "/fleet/motd.yaml")
        << "apiVersion: holdfast.dev/v1\nkind: Directory\nmetadata: {name: etc}\nspec: {path: /etc}\n---\n"
           "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: motd}\nspec: {path: /etc/motd, text: "
        << greeting << "}\n---\napiVersion: holdfast.dev/v1\nkind: HealthCheck\nmetadata: {name: motd}\nspec:\n  "
        << "command: {argv: [grep, -q, good, " << folder_ << "/root/etc/motd]}\n";
    run("cd '" + folder_ + "/fleet' && git add -A && git -c user.name=t -c user.email=t@example.com commit -qm 'Say " +
        greeting + "'");
  }
  [[nodiscard]] ControllerSettings settings() const {
    ControllerSettings settings;
    settings.repository.url = folder_ + "/fleet";
    settings.state = folder_ + "/state";
    settings.mirror.fetch_program = {HOLDFAST_PROGRAM, "fetch-child"};
    return settings;
  }

 private:
  std::string folder_;
};

}  // namespace

TEST_CASE("a hundred polls of a bad commit make one apply, one rollback, one notification", "[notify]") {
  NotifyScene scene;
  scene.clock = system_clock();
  const Greeting fleet(fs::path(scene.state_file()).parent_path().string());
  fleet.commit("good");
  ConnectOptions connect;
  connect.runner = HOLDFAST_HOST_PROGRAM;
  SessionPool sessions(connect);
  const ControllerSettings settings = fleet.settings();
  EnvironmentWorker worker(settings, sessions, *scene.store, scene.clock, {});
  const auto mirror = open_mirror(settings);
  const auto poll = [&] {
    mirror->fetch(std::chrono::steady_clock::now() + std::chrono::seconds(60));
    const Policy policy = read_policy(*mirror, settings);
    (void)worker.run(policy.environments.at(0), policy.commit, {});
    return titles(scene.news());
  };
  const auto first = poll();
  REQUIRE(first.size() == 1);
  CHECK(first[0].find("production: deployed ") == 0);
  fleet.commit("bad");
  std::vector<std::string> told;
  for (int i = 0; i < 100; ++i) {
    for (const std::string& title : poll()) told.push_back(title);
  }
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("production: rolled back ") == 0);
  CHECK(scene.store->deployments("production", "", 100).size() == 2);
}
