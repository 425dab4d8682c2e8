#include <controller/cli/suspend_commands.hpp>

#include <controller/plan/times.hpp>
#include <controller/rollout/root_branch.hpp>
#include <controller/rollout/suspension.hpp>
#include <manifests/error.hpp>
#include <manifests/formats.hpp>
#include <manifests/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <ostream>

namespace holdfast {

namespace {

constexpr std::int64_t usual_ms = 4LL * 3'600'000;
constexpr std::int64_t most_ms = 30LL * 86'400'000;
constexpr std::size_t most_reason = 500;

/// The environment by what the mirror has: nobody waits for a remote that is away to take something out of our hands.
Environment environment_of(Context& context, const std::string& name) {
  try {
    const std::unique_ptr<Mirror> mirror = open_mirror(context.settings);
    return find_environment(RootBranch(context.settings, *context.store, context.clock).look(*mirror), name);
  } catch (const Error&) {
    return find_environment(fetch_policy(context), name);  // it is new, or nothing was fetched yet
  }
}

std::vector<Origin> origins_of(const Desired& desired, const std::string& host) {
  std::vector<Origin> origins;
  for (const auto& [name, kept] : desired.hosts) {
    if (!host.empty() && name != host) continue;
    const HostDesired one = desired.host(name);
    for (const Wanted& wanted : one.lowered.bundle.wanted) origins.push_back(wanted.origin);
  }
  return origins;
}

/// A name that nothing belongs to would protect nothing.
void check_app(Context& context, const Environment& environment, const SuspendOptions& options) {
  EnvironmentWorker worker(context.settings, *context.sessions, *context.store, context.clock, {});
  const std::unique_ptr<Mirror> mirror = open_mirror(context.settings);
  const std::string policy = RootBranch(context.settings, *context.store, context.clock).look(*mirror).commit;
  EnvironmentReport report;
  const auto desired = worker.desired(environment, policy, "", report);
  if (!desired || !report.problems.empty()) {
    throw Error("the manifests of " + environment.name + " can't be read, so it is not known what belongs to \"" +
                printable(options.app) + "\": suspend the environment or a host, or see `holdfast validate`");
  }
  const std::vector<Origin> origins = origins_of(*desired, options.host);
  if (std::ranges::any_of(origins, [&](const Origin& origin) { return belongs_to(origin, options.app); })) return;
  std::string known;
  for (const std::string& name : known_apps(origins)) known += (known.empty() ? "" : ", ") + name;
  throw Error("nothing of " + environment.name + " belongs to \"" + printable(options.app) +
              "\": an application is a folder or file of manifests (" + known + ") or one resource (File/motd)");
}

Value to_value(const Suspension& one) {
  return Map{{"environment", one.environment}, {"host", one.host},         {"app", one.app},
             {"by", one.by},                   {"reason", one.reason},     {"since_ms", one.since_ms},
             {"until_ms", one.until_ms}};
}

void print_record(const std::string& kind, const Suspension& one, std::ostream& out) {
  out << to_json(Map{{"kind", kind}, {"version", 1}, {"suspension", to_value(one)}}) << "\n";
}

Suspension find_suspension(Context& context, const SuspendOptions& options) {
  std::string others;
  for (const Suspension& one : context.store->suspensions(options.environment)) {
    if (one.host == options.host && one.app == options.app) return one;
    others += (others.empty() ? "" : ", ") + scope_text(one);
  }
  throw Error("not suspended: " +
              scope_text({.environment = printable(options.environment),
                          .host = printable(options.host),
                          .app = printable(options.app)}) +
              (others.empty() ? "" : "; suspended are " + others + ": name it with --host and --app"));
}

/// What ending it leads to: the plan of the hosts that it is about.
void show_plan(Context& context, const SuspendOptions& options, std::ostream& out) {
  DeployOptions plan{.environment = options.environment, .format = options.format, .terminal = options.terminal};
  if (!options.host.empty()) plan.hosts.push_back(options.host);
  plan_command(context, plan, out);
}

bool confirmed(std::ostream& out) {
  if (::isatty(STDIN_FILENO) == 0) {
    out << "not resumed: say --yes to go on with this plan\n";
    return false;
  }
  out << "resume, so that the next turn does this? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "yes") return true;
  out << "not resumed\n";
  return false;
}

}  // namespace

std::int64_t end_of_suspension(const std::string& lasts, const std::string& until, std::int64_t now_ms) {
  if (!lasts.empty() && !until.empty()) throw Error("expected --for or --until, found both: say one of them");
  std::int64_t end = now_ms + usual_ms;
  if (!lasts.empty()) end = now_ms + duration_ms(lasts);
  if (!until.empty()) {
    end = ms_of_utc(until);
    if (end == 0) {
      throw Error("expected a time such as 2026-11-21T18:00:00Z after --until, found \"" + printable(until) + "\"");
    }
  }
  if (end <= now_ms) throw Error("expected a time to come, found one that is over: " + utc_text(end));
  if (end - now_ms > most_ms) {
    throw Error("expected at most 30 days (--for 30d), found an end at " + utc_text(end) +
                ": what should stay as it is for longer belongs into the manifests");
  }
  return end;
}

int suspend_command(Context& context, const SuspendOptions& options, std::ostream& out) {
  const std::string reason = printable(options.reason);
  if (reason.find_first_not_of(' ') == std::string::npos || reason.size() > most_reason) {
    throw Error("expected why in --reason, in 1 to 500 characters: who finds it suspended reads that");
  }
  const std::int64_t now = context.clock.wall_ms();
  const std::int64_t end = end_of_suspension(options.lasts, options.until, now);
  const Environment environment = environment_of(context, options.environment);
  if (!options.host.empty()) check_hosts(environment, {options.host});
  if (!options.app.empty()) check_app(context, environment, options);
  const Suspension one{.environment = environment.name,
                       .host = options.host,
                       .app = options.app,
                       .by = context.settings.requested_by,
                       .reason = reason,
                       .since_ms = now,
                       .until_ms = end};
  context.store->put_suspension(one);
  context.store->add_audit(audit_of(one, "suspend", one.by, now));
  if (options.format == PlanFormat::json) {
    print_record("suspend", one, out);
    return 0;
  }
  out << scope_text(one) << " is suspended until " << utc_text(end) << ": nothing of it is changed, new commits wait, "
      << "drift is told and left\nwhat is begun already comes to its end; `holdfast resume " << environment.name
      << (one.host.empty() ? "" : " --host " + one.host) << (one.app.empty() ? "" : " --app " + one.app)
      << "` ends it\n";
  return 0;
}

int resume_command(Context& context, const SuspendOptions& options, std::ostream& out) {
  const Suspension one = find_suspension(context, options);
  const bool json = options.format == PlanFormat::json;
  if (!json || !options.yes) {
    if (!json) out << scope_text(one) << ": " << to_text(one) << "\n";
    try {
      show_plan(context, options, out);
    } catch (const Error& error) {  // a remote that is away: who resumes knows it, and decides
      out << "the plan can't be shown: " << error.what() << "\n";
    }
    if (!options.yes && (json || !confirmed(out))) return 1;
  }
  if (!context.store->remove_suspension(one)) {
    throw Error("the suspension was changed at this moment: look at `holdfast status " + one.environment + "` again");
  }
  context.store->add_audit(audit_of(one, "resume", context.settings.requested_by, context.clock.wall_ms()));
  if (json) {
    print_record("resume", one, out);
  } else {
    out << "resumed: " << scope_text(one) << "; the next turn goes on, `holdfast apply " << one.environment
        << "` does it now\n";
  }
  return 0;
}

}  // namespace holdfast
