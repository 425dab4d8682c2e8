#include <controller/cli/gate_commands.hpp>

#include <controller/audit/audit.hpp>
#include <controller/gates/override.hpp>
#include <manifests/error.hpp>
#include <manifests/formats.hpp>
#include <manifests/json.hpp>

#include <algorithm>
#include <ostream>

namespace holdfast {

namespace {

constexpr std::int64_t longest_ms = 7LL * 86'400'000;
constexpr std::int64_t shortest_ms = 60'000;

std::int64_t duration_of(const std::string& text) {
  std::int64_t duration = 0;
  try {
    duration = duration_ms(text);
  } catch (const Error&) {
    throw Error("--for must be a duration, not \"" + printable(text) + "\": for example 30m or 2h");
  }
  if (duration < shortest_ms || duration > longest_ms) {
    throw Error("an override lasts between 1m and 7d, not " + printable(text));
  }
  return duration;
}

AuditEntry audit_of(const Override& given, const std::string& outcome, std::int64_t now_ms) {
  return {.kind = "override",
          .environment = given.environment,
          .revision = given.commit,
          .outcome = outcome,
          .by = given.by,
          .reason = given.reason,
          .at_ms = now_ms,
          .record = Map{{"since_ms", given.since_ms}, {"until_ms", given.until_ms}}};
}

int end(Context& context, const OverrideOptions& options, std::ostream& out) {
  const std::int64_t now_ms = context.clock.wall_ms();
  auto given = override_of(*context.store, options.environment, "", now_ms);
  const bool ended = given && end_override(*context.store, options.environment, now_ms);
  if (ended) {
    given->by = context.settings.requested_by;
    if (!options.reason.empty()) given->reason = printable(options.reason);
    context.store->add_audit(audit_of(*given, "override ended", now_ms));
  }
  if (options.json) {
    out << to_json(Map{{"version", 1}, {"environment", options.environment}, {"ended", ended}}) << "\n";
  } else {
    out << (ended ? "the override of " + printable(options.environment) + " is over: its gates are asked again\n"
                  : "no override of " + printable(options.environment) + " is in force\n");
  }
  return ended ? 0 : 1;
}

/// The commit that would be rolled out now.
Commit wanted_now(Context& context, const std::string& name) {
  const Policy policy = fetch_policy(context);
  const Environment environment = find_environment(policy, name);
  EnvironmentWorker worker(context.settings, *context.sessions, *context.store, context.clock, {});
  worker.refuse(policy.refused_head);
  EnvironmentReport report;
  const auto desired = worker.desired(environment, policy.commit, "", report);
  if (!report.refused.empty()) throw Error("nothing to override: " + report.refused);
  if (!desired || !report.problems.empty()) {
    throw Error("there is no commit of " + name + " that could be rolled out: see `holdfast plan " + name + "`");
  }
  return desired->commit;
}

}  // namespace

int override_command(Context& context, const OverrideOptions& options, std::ostream& out) {
  if (options.end) return end(context, options, out);
  if (options.reason.find_first_not_of(" \t\n") == std::string::npos) {
    throw Error("an override needs a reason: --reason \"why this can't wait\"");
  }
  const std::int64_t duration = duration_of(options.duration);
  const Commit commit = wanted_now(context, options.environment);
  const std::int64_t now_ms = context.clock.wall_ms();
  const Override given{.environment = options.environment,
                       .commit = commit.id,
                       .by = context.settings.requested_by,
                       .reason = printable(options.reason),
                       .since_ms = now_ms,
                       .until_ms = now_ms + duration};
  put_override(*context.store, given);
  AuditEntry entry = audit_of(given, "gates overridden", now_ms);
  entry.subject = commit.summary;
  context.store->add_audit(entry);
  if (options.json) {
    out << to_json(Map{{"version", 1},
                       {"environment", given.environment},
                       {"commit", given.commit},
                       {"by", given.by},
                       {"reason", given.reason},
                       {"until_ms", given.until_ms}})
        << "\n";
    return 0;
  }
  out << given.environment << " takes " << commit.id.substr(0, 12)
      << " past its windows, freezes and gates: " << override_text(given) << "\n"
      << "what is held stays held; another commit is gated again; `holdfast override " << given.environment
      << " --end` ends it\n";
  return 0;
}

}  // namespace holdfast
