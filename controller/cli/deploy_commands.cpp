#include <controller/cli/deploy_commands.hpp>

#include <controller/audit/audit.hpp>
#include <controller/cli/progress_printer.hpp>
#include <controller/rollout/tracking.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <ostream>

namespace holdfast {

namespace {

constexpr int history_depth = 200;
constexpr std::int64_t adopt_ms = 30'000;

void print_problems(const std::vector<Problem>& problems, std::ostream& out) {
  for (const Problem& problem : problems) out << render(problem) << "\n";
  out << problems.size() << (problems.size() == 1 ? " problem" : " problems") << ": the commit is refused\n";
}

/// One turn of an environment with its progress on the terminal; what it came to is the exit code.
int take_turn(Context& context, const Environment& environment, const Policy& policy, const DeployOptions& options,
              std::ostream& out) {
  ProgressPrinter printer(out, options.format == PlanFormat::json, options.terminal);
  ControllerSettings settings = context.settings;
  settings.allow_prune = options.allow_prune;
  settings.repair = options.repair;
  EnvironmentWorker worker(settings, *context.sessions, *context.store, context.clock,
                           [&printer](const Progress& progress) { printer.tell(progress); });
  worker.refuse(policy.refused_head);
  const EnvironmentReport report = worker.run(environment, policy.commit, options.hosts);
  if (!report.problems.empty()) print_problems(report.problems, out);
  if (!report.refused.empty()) out << "refused: " << report.refused << "\n";
  printer.end(report);
  return exit_code(report);
}

/// The newest commit that was verified on all hosts of the environment and is not live now.
std::string commit_before(Context& context, const std::string& environment) {
  std::string live;
  for (const HostRecord& host : context.store->hosts(environment)) {
    if (!host.live_commit.empty()) live = host.live_commit;
  }
  for (const Deployment& one : context.store->deployments(environment, "", history_depth)) {
    const bool good = one.outcome == Outcome::deployed || one.outcome == Outcome::repaired;
    if (good && one.commit != live) return one.commit;
    if (good && !one.from_commit.empty() && one.from_commit != live) return one.from_commit;
  }
  throw Error("there is no earlier verified commit of " + environment + " to go back to; name one with --to REVISION");
}

/// Who kept the host before; nothing where it was ours.
std::optional<std::string> adopt(Context& context, const Host& host) {
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(adopt_ms);
  const auto client = context.sessions->fresh(host, deadline);
  const RunnerClient::Claim claim{.lease_ms = context.settings.lease_ms, .adopt = true};
  RunnerClient::Standing standing = client->claim(claim, 0, deadline);
  context.store->raise_epoch(standing.epoch);
  if (!standing.owner) return std::nullopt;
  const std::string from = standing.owner->name;
  standing = client->claim(claim, context.store->next_epoch(), deadline);
  if (standing.owner) throw Error("\"" + standing.owner->name + "\" took it over at this moment: ask again");
  return from;
}

}  // namespace

void check_hosts(const Environment& environment, const std::vector<std::string>& hosts) {
  for (const std::string& name : hosts) {
    if (std::ranges::find(environment.hosts, name, &Host::name) == environment.hosts.end()) {
      throw Error("environment " + environment.name + " has no host \"" + printable(name) + "\"");
    }
  }
}

int apply_command(Context& context, const DeployOptions& options, std::ostream& out) {
  const Policy policy = fetch_policy(context);
  const Environment environment = find_environment(policy, options.environment);
  check_hosts(environment, options.hosts);
  if (!policy.refused.empty() && options.format != PlanFormat::json) out << "warning: " << policy.refused << "\n";
  return take_turn(context, environment, policy, options, out);
}

int rollback_command(Context& context, const DeployOptions& options, std::ostream& out) {
  const Policy policy = fetch_policy(context);
  const Environment environment = find_environment(policy, options.environment);
  const std::unique_ptr<Mirror> mirror = open_mirror(context.settings);
  const auto known = context.store->environment(environment.name).value_or(EnvironmentRecord{});
  const auto head = tracked_head(environment.track, *mirror, policy.commit, known.accepted_tag);
  if (!head) throw Error("the ref that " + environment.name + " follows is not in the repository");

  std::string target;
  if (options.revision.empty()) {
    target = commit_before(context, environment.name);
  } else {
    const auto found = mirror->resolve(options.revision);
    if (!found) throw Error("\"" + printable(options.revision) + "\" is no commit, branch or tag of the repository");
    target = *found;
  }
  context.store->put_pin({.environment = environment.name,
                          .head = head->commit,
                          .target = target,
                          .requested_by = context.settings.requested_by,
                          .reason = printable(options.reason),
                          .since_ms = context.clock.wall_ms()});
  context.store->add_audit({.kind = "rollback-asked",
                            .environment = environment.name,
                            .revision = target,
                            .outcome = "asked to go back to",
                            .by = context.settings.requested_by,
                            .reason = printable(options.reason),
                            .at_ms = context.clock.wall_ms()});
  if (options.format != PlanFormat::json) {
    out << "rolling " << environment.name << " back to " << target.substr(0, 12)
        << "; it stays there until the tracked ref moves or `holdfast retry " << environment.name << "`\n";
  }
  return take_turn(context, environment, policy, options, out);
}

int retry_command(Context& context, const DeployOptions& options, std::ostream& out) {
  int lifted = 0;
  const std::vector<std::string> all = {""};
  for (const std::string& host : options.hosts.empty() ? all : options.hosts) {
    lifted += context.store->remove_holds(options.environment, host);
    lifted += context.store->remove_fights(options.environment, host);
  }
  const bool unpinned = options.hosts.empty() && context.store->remove_pin(options.environment);
  for (HostRecord record : context.store->hosts(options.environment)) {
    const bool asked = options.hosts.empty() || std::ranges::find(options.hosts, record.host) != options.hosts.end();
    if (!asked || record.state == "converged") continue;
    record.state = "new";
    record.detail = "to be tried again, asked by " + context.settings.requested_by;
    record.changed_ms = context.clock.wall_ms();
    context.store->put_host(record);
    ++lifted;
  }
  if (lifted != 0 || unpinned) {
    context.store->add_audit({.kind = "retry",
                              .environment = options.environment,
                              .hosts = options.hosts,
                              .outcome = unpinned ? "rollback by hand ended" : "hold lifted",
                              .by = context.settings.requested_by,
                              .reason = printable(options.reason),
                              .at_ms = context.clock.wall_ms()});
  }
  if (options.format == PlanFormat::json) {
    const Value record =
        Map{{"version", 1}, {"environment", options.environment}, {"lifted", lifted}, {"rollback_ended", unpinned}};
    out << to_json(record) << "\n";
    return 0;
  }
  if (lifted == 0 && !unpinned) {
    out << "nothing of " << printable(options.environment) << " is held\n";
    return 0;
  }
  out << (unpinned ? "the rollback by hand is over; " : "") << "the next turn tries again; `holdfast apply "
      << printable(options.environment) << "` does it now\n";
  return 0;
}

int adopt_command(Context& context, const DeployOptions& options, std::ostream& out) {
  const Policy policy = fetch_policy(context);
  const Environment environment = find_environment(policy, options.environment);
  check_hosts(environment, options.hosts);
  int code = 0;
  for (const Host& host : environment.hosts) {
    if (!options.hosts.empty() && std::ranges::find(options.hosts, host.name) == options.hosts.end()) continue;
    Map record{{"version", 1}, {"host", host.name}};
    std::string told;
    try {
      const auto from = adopt(context, host);
      record["from"] = from ? Value(*from) : Value();
      told = from ? "taken over from " + *from : "is ours";
      if (from) {
        context.store->add_audit({.kind = "adoption",
                                  .environment = environment.name,
                                  .hosts = {host.name},
                                  .outcome = "taken over",
                                  .by = context.settings.requested_by,
                                  .reason = "from " + *from,
                                  .at_ms = context.clock.wall_ms()});
      }
    } catch (const Error& error) {
      code = 1;
      record["error"] = error.what();
      told = error.what();
    }
    out << (options.format == PlanFormat::json ? to_json(Value(record)) : host.name + ": " + told) << "\n";
  }
  return code;
}

}  // namespace holdfast
