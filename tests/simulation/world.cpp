#include "world.hpp"

#include <reconcilers/failpoint.hpp>
#include <reconcilers/host/state.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>

namespace holdfast::simulation {

namespace {

namespace fs = std::filesystem;

/// A folder in memory, gone at the end, and every descriptor that the dead left open with it.
class Place {
 public:
  Place() {
    folder_ = fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path().string();
    folder_ += "/holdfast-simulation-" + std::to_string(::getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    before_ = open_descriptors();
  }
  ~Place() {
    for (const int one : open_descriptors()) {
      if (!before_.contains(one)) ::close(one);
    }
    std::error_code error;
    fs::remove_all(folder_, error);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  static std::set<int> open_descriptors() {
    std::set<int> all;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd"))
      all.insert(std::atoi(entry.path().filename().c_str()));
    return all;
  }
  std::string folder_;
  std::set<int> before_;
};

class World {
 public:
  World(std::uint64_t seed, const Options& options) : options_(options), machine_(seed) {
    machine_.hidden = place_.folder();
    machine_.on_trace = options.on_trace;
    const std::size_t count = 1 + machine_.random(4);
    for (std::size_t i = 0; i < count; ++i) {
      hosts_.push_back(std::make_unique<Host>(machine_, "h" + std::to_string(i + 1), place_.folder()));
    }
    controller_ = std::make_unique<ControllerHost>(machine_, "c1", place_.folder(), repository_, hosts_);
    set_failpoint_hook([this](const char* name) { machine_.point(name); });
  }
  ~World() {
    set_failpoint_hook({});
    forget_descriptors();
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Outcome live() {
    repository_.push({});
    controller_->start();
    machine_.run(120 * second);
    for (int i = 0; i < 3; ++i) {
      repository_.push(i == 1 ? Wanted{.mode = "sick"} : Wanted{});
      machine_.run(machine_.now() + 120 * second);
    }
    for (const auto& host : hosts_) see_rest(*host);
    outcome_.digest = machine_.trace_digest();
    outcome_.ended = machine_.now();
    outcome_.commits = static_cast<int>(repository_.size());
    return outcome_;
  }

 private:
  void wrong(const std::string& what) { outcome_.violations.push_back(what); }

  void see_rest(Host& host) {
    const State state(host.root());
    if (state.open_transaction()) wrong(host.name + " has an open transaction at the end");
    const std::size_t last = repository_.size() - 1;
    for (const auto& [path, content] : repository_.files(last)) {
      if (host.read(path) != content)
        wrong(host.name + " " + path + " is not as the last commit wants it: " + host.read(path));
    }
    const Init::Unit* unit = host.init().unit("app.service");
    if (unit == nullptr || unit->active != "active") {
      wrong(host.name + " does not run app.service");
    } else if (unit->configuration != host.read(configuration_path)) {
      wrong(host.name + " runs app.service with another configuration than its own: " + unit->configuration);
    }
    outcome_.transactions += static_cast<int>(state.transactions().size());
  }

  Options options_;
  Place place_{};
  Machine machine_;
  Repository repository_{};
  std::vector<std::unique_ptr<Host>> hosts_{};
  std::unique_ptr<ControllerHost> controller_{};
  Outcome outcome_{};
};

}  // namespace

Outcome simulate(std::uint64_t seed, const Options& options) {
  World world(seed, options);
  return world.live();
}

}  // namespace holdfast::simulation
