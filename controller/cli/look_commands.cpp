#include <controller/cli/look_commands.hpp>

#include <controller/cli/deployment_record.hpp>
#include <controller/cli/gate_look.hpp>
#include <controller/cli/late_look.hpp>
#include <controller/cli/suspend_look.hpp>
#include <controller/cli/table.hpp>
#include <controller/plan/kept_plan.hpp>
#include <controller/plan/times.hpp>
#include <controller/rollout/rollout_note.hpp>
#include <controller/rollout/root_branch.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <map>
#include <ostream>

namespace holdfast {

namespace {

constexpr int record_version = 1;
constexpr std::size_t short_id = 12;
constexpr int most_unsettled = 10'000;
constexpr std::size_t most_listed = 40;  // hosts of an environment; more are a summary and those with a problem

std::string brief(const std::string& commit) { return commit.empty() ? "-" : commit.substr(0, short_id); }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Value backups_of(const HostRecord& host) { return from_json(host.backups.empty() ? "[]" : host.backups); }

bool is_trouble(const std::string& problem) { return !problem.empty() && problem != "never"; }

Value to_value(const HostRecord& host) {
  Value record;
  record["host"] = host.host;
  record["state"] = host.state;
  record["detail"] = host.detail;
  record["desired_commit"] = host.desired_commit;
  record["live_commit"] = host.live_commit;
  record["seen_ms"] = host.seen_ms;
  record["changed_ms"] = host.changed_ms;
  record["backups"] = backups_of(host);
  return record;
}

Value to_value(const Hold& hold) {
  Value record;
  record["host"] = hold.host;
  record["commit"] = hold.commit;
  record["reason"] = hold.reason;
  record["since_ms"] = hold.since_ms;
  record["deployment"] = hold.deployment;
  return record;
}

int exit_code_of(const HostRecord& host) {
  if (host.state == "held" || host.state == "contended" || host.state == "drifted" || host.state == "waiting" ||
      host.state == "rollback_failed" || host.state == "suspended")
    return 3;
  if (host.state == "refused" || host.state == "observing") return 4;
  return host.state == "converged" || host.state == "new" ? 0 : 1;
}

int worse(int a, int b) { return a == 3 || b == 3 ? 3 : std::max(a, b); }

int exit_code_of(const EnvironmentRecord& environment) {
  if (environment.state == "refused") return 1;
  return environment.state == "rewritten" || environment.state == "lost" ? 4 : 0;
}

/// Only what is not as it should be.
void print_backups(const HostRecord& host, const LookOptions& options, std::ostream& out) {
  const Value backups = backups_of(host);
  for (const Value& one : backups.as_list()) {
    const std::string problem = one.text_or("problem", "");
    if (problem.empty()) continue;
    const std::string word = problem == "never" ? "not yet taken" : problem;
    out << host.host << "  backup " << one.text_or("policy", "") << "  "
        << styled(is_trouble(problem) ? Style::bad : Style::warning, word, options.terminal.colour) << ": "
        << first_line(one.text_or("detail", "")) << "\n";
  }
}

int backup_code(const HostRecord& host) {
  const Value backups = backups_of(host);
  return std::ranges::any_of(backups.as_list(), [](const Value& one) { return is_trouble(one.text_or("problem", "")); })
             ? 1
             : 0;
}

/// "1000 hosts: 930 converged, 50 unreachable, 20 held".
std::string summary_of(const std::vector<HostRecord>& hosts) {
  std::map<std::string, std::size_t> counts;
  for (const HostRecord& host : hosts) ++counts[host.state];
  std::string text;
  for (const auto& [state, count] : counts) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + state;
  return std::to_string(hosts.size()) + " hosts: " + text;
}

Value to_value(const SinkRecord& sink) {
  return Map{{"name", sink.name},       {"failing_since_ms", sink.failing_since_ms},
             {"why", sink.why},         {"waiting", sink.waiting},
             {"dropped", sink.dropped}, {"delivered_ms", sink.delivered_ms}};
}

/// Only those that fail: what is told to nobody should be seen somewhere.
void print_sinks(const LookOptions& options, std::ostream& out) {
  for (const SinkRecord& sink : options.sinks) {
    if (sink.failing_since_ms == 0) continue;
    out << "\nnotify " << sink.name << "  " << styled(Style::bad, "failing", options.terminal.colour) << " since "
        << ago_text(sink.failing_since_ms, options.now_ms) << ", " << sink.waiting << " waiting"
        << (sink.dropped == 0 ? "" : ", " + std::to_string(sink.dropped) + " dropped") << ": " << first_line(sink.why)
        << "\n";
  }
}

void print_audit(const LookOptions& options, std::ostream& out) {
  const AuditStanding& audit = options.audit;
  if (audit.failing_since_ms == 0) return;
  out << "\naudit branch  " << styled(Style::bad, "failing", options.terminal.colour) << " since "
      << ago_text(audit.failing_since_ms, options.now_ms) << ", " << audit.waiting
      << " waiting: " << first_line(audit.why) << "\n";
}

std::vector<HostRecord> problems_first(std::vector<HostRecord> hosts) {
  std::ranges::stable_sort(hosts, {}, [](const HostRecord& host) { return host.state == "converged"; });
  return hosts;
}

void print_environment(const EnvironmentRecord& environment, const std::vector<HostRecord>& hosts,
                       const std::optional<RolloutNote>& rollout, const LookOptions& options, std::ostream& out) {
  out << environment.name << "  follows " << environment.tracked << " at " << brief(environment.head);
  if (!environment.accepted_tag.empty() && environment.accepted == environment.head) {
    out << " (" << printable(environment.accepted_tag) << ")";
  }
  if (environment.state != "following") out << "  " << environment.state;
  out << "\n";
  if (!environment.detail.empty()) out << "  " << environment.detail << "\n";
  const std::string wave = rollout ? rollout_text(*rollout, options.now_ms) : "";
  if (!wave.empty()) out << "  rollout of " << brief(rollout->commit) << ", " << wave << "\n";
  if (hosts.size() > most_listed) out << "  " << summary_of(hosts) << "\n";
  Table table{.headers = {"HOST", "STATE", "LIVE", "DESIRED", "SINCE", "WHY"}};
  std::size_t left_out = 0;
  for (const HostRecord& host : problems_first(hosts)) {
    const bool crowd = !options.all && hosts.size() > most_listed;
    if (crowd && (host.state == "converged" || table.rows.size() == most_listed)) {
      ++left_out;
      continue;
    }
    table.rows.push_back({{host.host},
                          {host.state, look_style(host.state)},
                          {brief(host.live_commit)},
                          {brief(host.desired_commit)},
                          {ago_text(host.changed_ms, options.now_ms)},
                          {first_line(host.detail)}});
  }
  if (hosts.empty()) out << "  no host has had its turn yet\n";
  out << render_table(table, options.terminal);
  for (const HostRecord& host : hosts) print_backups(host, options, out);
  if (left_out != 0) out << "  " << left_out << " more, see `holdfast status " << environment.name << " --all`\n";
}

/// A host that something is being done to, or was when its controller died, is not what its record says.
std::vector<HostRecord> hosts_as_they_stand(Store& store, const std::string& environment, const LookOptions& options) {
  std::vector<HostRecord> hosts = store.hosts(environment);
  for (const Deployment& one : store.unsettled(environment, "", most_unsettled)) {
    const auto host = std::ranges::find(hosts, one.host, &HostRecord::host);
    if (host == hosts.end()) continue;
    const Deployment now = as_it_stands(one, options);
    const bool runs = now.outcome == Outcome::running;
    if (!runs && (host->state == "unknown" || host->state == "unreachable")) continue;
    host->state = runs ? "deploying" : "unknown";
    host->detail = runs ? "deployment " + std::to_string(one.id) + " by " + one.requested_by
                        : "deployment " + std::to_string(one.id) + ": " + now.reason;
    host->changed_ms = one.begun_ms;
  }
  return hosts;
}

/// The fleet's repository and its root branch: told only where not all is well.
int source_code(const std::optional<RootRecord>& root) {
  if (!root) return 0;
  const bool refused = root->state == "rewritten" || root->state == "lost";
  return worse(refused ? 4 : 0, root->stale_ms != 0 || root->state == "refused" ? 1 : 0);
}

void print_source(const RootRecord& root, const LookOptions& options, std::ostream& out) {
  if (root.stale_ms != 0) out << styled(Style::bad, stale_text(root), options.terminal.colour) << "\n";
  if (!root.detail.empty()) {
    out << styled(Style::bad, root.state, options.terminal.colour) << " since " << utc_text(root.changed_ms) << ": "
        << root.detail << "\n";
  }
}

Value source_record(const RootRecord& root) {
  return Map{{"policy_commit", root.policy},    {"state", root.state},
             {"detail", root.detail},           {"changed_ms", root.changed_ms},
             {"stale_since_ms", root.stale_ms}, {"stale_detail", root.stale_detail}};
}

}  // namespace

Deployment as_it_stands(Deployment deployment, const LookOptions& options) {
  if (deployment.outcome != Outcome::running || !options.lives || options.lives(deployment.process)) return deployment;
  deployment.outcome = Outcome::unknown;
  deployment.reason = "its controller ended in the middle; the host is asked what came of it when it is next reached";
  return deployment;
}

int status_command(Store& store, const std::string& environment, const LookOptions& options, std::ostream& out) {
  const auto root = root_record(store);
  int code = source_code(root);
  if (root && !options.json) print_source(*root, options, out);
  List records;
  bool found = false;
  for (const EnvironmentRecord& one : store.environments()) {
    if (!environment.empty() && one.name != environment) continue;
    const auto hosts = hosts_as_they_stand(store, one.name, options);
    code = worse(code, exit_code_of(one));
    List host_records;
    for (const HostRecord& host : hosts) {
      code = worse(worse(code, exit_code_of(host)), backup_code(host));
      host_records.push_back(to_value(host));
    }
    List holds;
    for (const Hold& hold : store.holds(one.name)) holds.push_back(to_value(hold));
    Value record;
    record["name"] = one.name;
    record["tracked"] = one.tracked;
    record["head"] = one.head;
    record["accepted"] = one.accepted;
    record["accepted_tag"] = one.accepted_tag;
    record["state"] = one.state;
    record["detail"] = one.detail;
    record["hosts"] = host_records;
    record["held"] = holds;
    record["waiting"] = waits_record(store, one.name);
    record["override"] = override_record(store, one.name, options.now_ms);
    const auto rollout = rollout_note(store, one.name);
    if (rollout) record["rollout"] = rollout_record(*rollout);
    const std::vector<Suspension> suspensions = store.suspensions(one.name);
    record["suspensions"] = suspensions_record(suspensions);
    const std::vector<LateWatch> watches = store.late_watches(one.name);
    record["late_watches"] = late_watches_record(watches);
    records.push_back(std::move(record));
    if (!options.json) {
      if (found) out << "\n";
      print_environment(one, hosts, rollout, options, out);
      print_gates(store, one.name, options, out);
      print_suspensions(suspensions, options, out);
      print_late_watches(watches, options, out);
    }
    found = true;
  }
  if (options.json) {
    List sinks;
    for (const SinkRecord& sink : options.sinks) sinks.push_back(to_value(sink));
    Map record{{"version", record_version}, {"environments", records}, {"notify", sinks}};
    record["audit"] = Map{{"waiting", options.audit.waiting},
                          {"failing_since_ms", options.audit.failing_since_ms},
                          {"why", options.audit.why}};
    if (root) record["source"] = source_record(*root);
    out << to_pretty_json(record) << "\n";
  } else {
    print_sinks(options, out);
    print_audit(options, out);
  }
  if (found) return code;
  if (!options.json) {
    out << (environment.empty() ? "nothing is known yet: no environment has had its turn"
                                : "no environment \"" + printable(environment) + "\" has had its turn")
        << "\n";
  }
  return environment.empty() ? 0 : 1;
}

int history_command(Store& store, const std::string& environment, const std::string& host, int limit,
                    const LookOptions& options, std::ostream& out) {
  auto deployments = store.deployments(environment, host, limit);
  for (Deployment& one : deployments) one = as_it_stands(std::move(one), options);
  if (options.json) {
    List records;
    for (const Deployment& one : deployments) records.push_back(deployment_record(one, view_of(kept_plan(one.plan))));
    out << to_pretty_json(Map{{"kind", "history"}, {"version", record_version}, {"deployments", records}}) << "\n";
    return 0;
  }
  Table table{
      .headers = {"ID", "WHEN", "ENVIRONMENT", "HOST", "REVISION", "CAUSE", "OUTCOME", "TOOK", "CHANGES", "WHY"}};
  for (const Deployment& one : deployments) {
    const std::string took = one.ended_ms == 0 ? "-" : duration_text(one.ended_ms - one.begun_ms);
    const std::string outcome(to_text(one.outcome));
    table.rows.push_back({{std::to_string(one.id)},
                          {utc_text(one.begun_ms)},
                          {one.environment},
                          {one.host},
                          {brief(one.commit)},
                          {one.cause},
                          {outcome, look_style(outcome)},
                          {took},
                          {changes_text(one, view_of(kept_plan(one.plan)))},
                          {first_line(one.reason.empty() ? one.subject : one.reason)}});
  }
  if (table.rows.empty()) out << "no deployment yet\n";
  out << render_table(table, options.terminal);
  return 0;
}

}  // namespace holdfast
