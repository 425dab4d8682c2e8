#include <controller/cli/pull_comments.hpp>

#include <controller/notify/pull_outcome.hpp>
#include <controller/rollout/root_branch.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>
#include <reconcilers/host/process.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace holdfast {

namespace {

constexpr std::chrono::seconds patience{120};
constexpr std::size_t most_output = 256U << 10U;
constexpr const char* heading = "### holdfast plan";

/// What `plan` needs to reach hosts and the repository, and nothing else of ours.
std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> environment;
  for (const char* name : {"HOME", "SSH_AUTH_SOCK"}) {
    if (const char* value = std::getenv(name)) environment[name] = value;
  }
  return environment;
}

std::string plan_at(const std::string& config, const std::string& environment, const std::string& reference) {
  Command command;
  command.argv = {"/proc/self/exe", "--config",  config,  "--output", "markdown",
                  "plan",           environment, "--rev", reference};
  command.environment = own_environment();
  command.deadline = patience;
  command.output_bytes = most_output;
  const Output output = run_process(command, std::nullopt);
  // Also where hosts were not reached or a plan is refused: the text says so. Without a heading there is none.
  if (!output.timed_out && output.out.starts_with(heading)) return output.out;
  throw Error(output.timed_out ? "the plan was not done within two minutes"
                               : printable(output.err.empty() ? output.out : output.err));
}

std::vector<std::string> tracking(const Context& context, const std::string& branch) {
  const auto root = root_record(*context.store);
  if (!root || root->policy.empty()) return {};
  const auto mirror = open_mirror(context.settings);
  if (!mirror->commit(root->policy)) return {};
  std::vector<std::string> names;
  for (const Environment& one : read_policy_at(*mirror, root->policy, context.settings).environments) {
    const std::string& followed = one.track.branch.empty() ? context.settings.branch : one.track.branch;
    if (followed == branch) names.push_back(one.name);
  }
  return names;
}

}  // namespace

std::unique_ptr<PullCommenter> comment_pull_requests(const Context& context, const OnProgress& tell) {
  return std::make_unique<PullCommenter>(
      context.config.notify, *context.store,
      [config = context.config.file](const std::string& environment, const std::string& reference) {
        return plan_at(config, environment, reference);
      },
      [&context](const std::string& branch) { return tracking(context, branch); }, tell);
}

}  // namespace holdfast
