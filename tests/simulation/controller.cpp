#include "controller.hpp"

#include "network.hpp"

#include <controller/rollout/environment_run.hpp>
#include <controller/rollout/late_watches.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <array>
#include <cstdio>
#include <filesystem>

namespace holdfast::simulation {

namespace {

namespace fs = std::filesystem;

/// The clock of the programs: what they see is the machine's.
Clock clock_of(Machine& machine) {
  Clock clock = system_clock();
  clock.random_hex = [&machine] {
    std::array<char, 9> text{};
    std::snprintf(text.data(), text.size(), "%08x", static_cast<unsigned>(machine.random(1ULL << 32U)));
    return std::string(text.data());
  };
  return clock;
}

}  // namespace

/// A third of all seeds each: all others at once, waves of one host, and halves with pauses where all go back.
RolloutPolicy policy_of(std::uint64_t seed) {
  if (seed % 3 == 1) return {.waves = {{1, false}}, .pause_ms = 3'000};
  if (seed % 3 == 2) return {.waves = {{50, true}}, .pause_ms = 20'000, .on_failure = OnFailure::rollback_all};
  return {};
}

Environment environment_of(const std::vector<std::unique_ptr<Host>>& hosts, std::uint64_t seed) {
  Environment environment;
  environment.name = environment_name;
  environment.track.branch = "main";
  environment.rollout = policy_of(seed);
  environment.health = {.window_ms = 12'000, .interval_ms = 1'000, .passes = 2};
  for (const auto& one : hosts) {
    holdfast::Host& host = environment.hosts.emplace_back();
    host.name = one->name;
    host.address = one->name;
  }
  if (seed % 2 == 1) environment.health.late.for_ms = 0;
  return environment;
}

ControllerHost::ControllerHost(Machine& machine, const std::string& own_name, const std::string& folder,
                               const Repository& repository, std::vector<std::unique_ptr<Host>>& hosts)
    : machine_(machine), folder_(folder + "/" + own_name), repository_(repository), hosts_(hosts) {
  name = own_name;
  fs::create_directories(folder_);
  state_path_ = folder_ + "/state-0.db";
}

void ControllerHost::start() {
  if (process_ != nullptr) return;
  process_ = &machine_.start(name, this, [this] { run(); });
  process_->at_end.emplace_back([this] {
    process_ = nullptr;
    take_over_state();
  });
}

void ControllerHost::kill() {
  if (process_ != nullptr) machine_.kill(*process_);
}

/// The dead one's descriptors and SQLite's locks live on in this program: the next one works on copies, as the disk
/// held them.
void ControllerHost::take_over_state() {
  const std::string next = folder_ + "/state-" + std::to_string(++incarnation_) + ".db";
  for (const char* suffix : {"", "-journal", "-wal"}) {
    std::error_code error;
    fs::copy_file(state_path_ + suffix, next + suffix, fs::copy_options::overwrite_existing, error);
  }
  state_path_ = next;
}

void ControllerHost::lose_state() {
  machine_.trace(name + " loses its state");
  fs::remove(state_path_);
  fs::remove(state_path_ + "-journal");
}

void ControllerHost::run() {
  const std::unique_ptr<Store> store = Store::open(state_path_);
  const Environment environment = environment_of(hosts_, machine_.seed());
  SessionPool sessions(
      [this](const holdfast::Host& host, Deadline deadline) {
        for (const auto& one : hosts_) {
          if (one->name == host.name) return std::make_unique<RunnerClient>(connect_to(*one, deadline));
        }
        throw Error("there is no host \"" + host.name + "\"");
      },
      {});
  const Clock clock = clock_of(machine_);
  const std::unique_ptr<Mirror> mirror =
      mirror_of(repository_, [this] { return repository_.size() - 1 - std::min(behind, repository_.size() - 1); });
  GitReleaseSources sources(*mirror, folder_, {.folder = folder_});
  DesiredCache cache;
  std::mutex git;
  HostTools tools{.sessions = sessions, .store = *store, .clock = clock};
  LateWatches late(*store, clock);
  tools.late = &late;
  tools.process = name + "-" + std::to_string(incarnation_);
  tools.lives = [own = tools.process](const std::string& process) { return process == own; };
  tools.on_progress = [this](const Progress& progress) {
    const std::string line = progress.host + " " + progress.text;
    machine_.trace(line);
    if (on_line) on_line(line + to_json(progress.record));
  };
  tools.read_content = [](const Content& content) { return content.bytes; };
  EnvironmentRun turns(tools, {.workers = 4, .patient = 8});
  const EnvironmentJob job{.environment = environment, .requested_by = "a simulation"};
  for (;;) {
    try {
      (void)turns.poll(job, {.host = tools,
                             .mirror = *mirror,
                             .sources = sources,
                             .cache = cache,
                             .git = git,
                             .policy_commit = "policy"});
    } catch (const Error& error) {
      machine_.trace(std::string("poll: ") + error.what());
    }
    sessions.sweep();
    clock.sleep_ms(poll_ms);
  }
}

}  // namespace holdfast::simulation
