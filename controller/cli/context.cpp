#include <controller/cli/context.hpp>

#include <controller/rollout/root_branch.hpp>
#include <controller/store/identity.hpp>
#include <controller/store/open_store.hpp>
#include <manifests/error.hpp>

#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace holdfast {

namespace {

constexpr std::int64_t least_lease_ms = 60'000;
constexpr std::int64_t polls_per_lease = 3;
constexpr std::int64_t fetch_ms = 120'000;
constexpr rlim_t most_open_files = 65'536;

std::string login() {
  for (const char* name : {"SUDO_USER", "USER", "LOGNAME"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return printable(value);
  }
  const passwd* entry = getpwuid(getuid());
  return entry == nullptr ? "uid " + std::to_string(getuid()) : printable(entry->pw_name);
}

void make_state_folder(const std::string& folder) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(folder, error);
  if (error) throw Error("the state folder \"" + folder + "\" can't be made: " + error.message());
  if (made) ::chmod(folder.c_str(), S_IRWXU);
}

/// As many open files as we may have: every host takes one. The number that we have then.
std::size_t raise_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  rlimit raised = limit;
  raised.rlim_cur = std::min<rlim_t>(limit.rlim_max, most_open_files);
  if (raised.rlim_cur > limit.rlim_cur && setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur;
}

}  // namespace

std::string machine_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

Context open_context(const ControllerConfig& config, const std::string& requested_by) {
  make_state_folder(config.state);
  refuse_network_folder(config.state);
  Context context;
  context.config = config;
  context.settings = {.repository = config.repository,
                      .branch = config.branch,
                      .allow_rewrites = config.allow_rewrites,
                      .load = config.load,
                      .state = config.state,
                      .workers = config.workers,
                      .requested_by = requested_by.empty() ? login() : requested_by};
  context.clock = system_clock();
  context.open_files = raise_open_files();
  const std::string signs = config.processes_folder();
  context.life = std::make_unique<LifeSign>(signs);
  context.settings.process = context.life->id();
  context.settings.lives = [signs](const std::string& process) { return process_lives(signs, process); };
  ConnectOptions connect = config.connect;
  connect.controller_id = controller_id(config.state);
  connect.controller_name = login() + "@" + machine_name();
  context.settings.lease_ms = std::max(least_lease_ms, polls_per_lease * config.poll_ms);
  OpenedStore opened = open_store(
      config.state_file(), [&] { return !another_lives(signs, context.life->id()); }, context.clock.wall_ms());
  if (!opened.note.empty()) std::cerr << "holdfast: " << opened.note << "\n";
  context.store = std::move(opened.store);
  context.sessions = std::make_unique<SessionPool>(connect);
  return context;
}

Policy fetch_policy(const Context& context) {
  const std::unique_ptr<Mirror> mirror = open_mirror(context.settings);
  mirror->fetch(std::chrono::steady_clock::now() + std::chrono::milliseconds(fetch_ms));
  RootBranch root(context.settings, *context.store, context.clock);
  Policy policy = root.look(*mirror);
  root.answered();
  if (policy.problems.empty()) return policy;
  std::string text = "the environments of branch " + context.settings.branch + " are refused:";
  for (const Problem& problem : policy.problems) text += "\n" + render(problem);
  throw Error(text);
}

Environment find_environment(const Policy& policy, const std::string& name) {
  std::string known;
  for (const Environment& environment : policy.environments) {
    if (environment.name == name) return environment;
    known += (known.empty() ? "" : ", ") + environment.name;
  }
  throw Error("there is no environment \"" + printable(name) + "\"; the root branch has " +
              (known.empty() ? "none" : known));
}

}  // namespace holdfast
