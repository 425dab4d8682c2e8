#include <controller/cli/context.hpp>

#include <manifests/error.hpp>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace holdfast {

namespace {

constexpr std::int64_t fetch_ms = 120'000;

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

}  // namespace

Context open_context(const ControllerConfig& config, const std::string& requested_by) {
  make_state_folder(config.state);
  Context context;
  context.config = config;
  context.settings = {.repository = config.repository,
                      .branch = config.branch,
                      .load = config.load,
                      .state = config.state,
                      .workers = config.workers,
                      .requested_by = requested_by.empty() ? login() : requested_by};
  context.clock = system_clock();
  context.store = Store::open(config.state_file());
  context.sessions = std::make_unique<SessionPool>(config.connect);
  return context;
}

Policy fetch_policy(const Context& context) {
  const std::unique_ptr<Mirror> mirror = open_mirror(context.settings);
  mirror->fetch(std::chrono::steady_clock::now() + std::chrono::milliseconds(fetch_ms));
  Policy policy = read_policy(*mirror, context.settings);
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
