#include <controller/cli/look_commands.hpp>

#include <controller/cli/table.hpp>
#include <controller/cli/times.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>
#include <reconcilers/host/plan.hpp>

#include <algorithm>
#include <ostream>

namespace holdfast {

namespace {

constexpr int record_version = 1;
constexpr std::size_t short_id = 12;

std::string brief(const std::string& commit) { return commit.empty() ? "-" : commit.substr(0, short_id); }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Value to_value(const HostRecord& host) {
  return Map{{"host", host.host},
             {"state", host.state},
             {"detail", host.detail},
             {"desired_commit", host.desired_commit},
             {"live_commit", host.live_commit},
             {"seen_ms", host.seen_ms},
             {"changed_ms", host.changed_ms}};
}

Value to_value(const Hold& hold) {
  return Map{{"host", hold.host},         {"commit", hold.commit},         {"reason", hold.reason},
             {"since_ms", hold.since_ms}, {"deployment", hold.deployment}};
}

Value to_value(const Deployment& d) {
  return Map{{"id", d.id},
             {"environment", d.environment},
             {"host", d.host},
             {"transaction", d.transaction},
             {"commit", d.commit},
             {"from_commit", d.from_commit},
             {"subject", d.subject},
             {"author", d.author},
             {"cause", d.cause},
             {"requested_by", d.requested_by},
             {"outcome", std::string(to_text(d.outcome))},
             {"reason", d.reason},
             {"begun_ms", d.begun_ms},
             {"ended_ms", d.ended_ms}};
}

int exit_code_of(const HostRecord& host) {
  if (host.state == "held" || host.state == "waiting" || host.state == "rollback_failed") return 3;
  if (host.state == "refused") return 4;
  return host.state == "converged" || host.state == "degraded" || host.state == "new" ? 0 : 1;
}

int worse(int a, int b) { return a == 3 || b == 3 ? 3 : std::max(a, b); }

int exit_code_of(const EnvironmentRecord& environment) {
  if (environment.state == "refused") return 1;
  return environment.state == "rewritten" || environment.state == "lost" ? 4 : 0;
}

void print_environment(const EnvironmentRecord& environment, const std::vector<HostRecord>& hosts,
                       const LookOptions& options, std::ostream& out) {
  out << environment.name << "  follows " << environment.tracked << " at " << brief(environment.head);
  if (environment.state != "following") out << "  " << environment.state;
  out << "\n";
  if (!environment.detail.empty()) out << "  " << environment.detail << "\n";
  std::vector<std::vector<std::string>> rows;
  for (const HostRecord& host : hosts) {
    rows.push_back({host.host, host.state, brief(host.live_commit), brief(host.desired_commit),
                    ago_text(host.changed_ms, options.now_ms), first_line(host.detail)});
  }
  if (rows.empty()) {
    out << "  no host has had its turn yet\n";
    return;
  }
  out << render_table({"HOST", "STATE", "LIVE", "DESIRED", "SINCE", "WHY"}, rows);
}

}  // namespace

int status_command(Store& store, const std::string& environment, const LookOptions& options, std::ostream& out) {
  int code = 0;
  List records;
  bool found = false;
  for (const EnvironmentRecord& one : store.environments()) {
    if (!environment.empty() && one.name != environment) continue;
    const auto hosts = store.hosts(one.name);
    code = worse(code, exit_code_of(one));
    List host_records;
    for (const HostRecord& host : hosts) {
      code = worse(code, exit_code_of(host));
      host_records.push_back(to_value(host));
    }
    List holds;
    for (const Hold& hold : store.holds(one.name)) holds.push_back(to_value(hold));
    records.push_back(Map{{"name", one.name},       {"tracked", one.tracked}, {"head", one.head},
                          {"accepted", one.accepted}, {"state", one.state},     {"detail", one.detail},
                          {"hosts", host_records},    {"held", holds}});
    if (!options.json) {
      if (found) out << "\n";
      print_environment(one, hosts, options, out);
    }
    found = true;
  }
  if (options.json) out << to_pretty_json(Map{{"version", record_version}, {"environments", records}}) << "\n";
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
  const auto deployments = store.deployments(environment, host, limit);
  if (options.json) {
    List records;
    for (const Deployment& one : deployments) records.push_back(to_value(one));
    out << to_pretty_json(Map{{"version", record_version}, {"deployments", records}}) << "\n";
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Deployment& one : deployments) {
    const std::string took = one.ended_ms == 0 ? "-" : duration_text(one.ended_ms - one.begun_ms);
    rows.push_back({std::to_string(one.id), utc_text(one.begun_ms), one.environment, one.host, brief(one.commit),
                    one.cause, std::string(to_text(one.outcome)), took,
                    first_line(one.reason.empty() ? one.subject : one.reason)});
  }
  if (rows.empty()) {
    out << "no deployment yet\n";
    return 0;
  }
  out << render_table({"ID", "WHEN", "ENVIRONMENT", "HOST", "REVISION", "CAUSE", "OUTCOME", "TOOK", "WHY"}, rows);
  return 0;
}

int show_command(Store& store, std::int64_t id, const LookOptions& options, std::ostream& out) {
  const auto found = store.deployment(id);
  if (!found) {
    out << "there is no deployment " << id << "; `holdfast history` lists them\n";
    return 1;
  }
  const auto events = store.events(id);
  if (options.json) {
    Value record = to_value(*found);
    record["version"] = record_version;
    record["actions"] = from_json(found->plan.empty() ? "[]" : found->plan);
    List lines;
    for (const DeploymentEvent& one : events) lines.push_back(Map{{"at_ms", one.at_ms}, {"text", one.text}});
    record["events"] = lines;
    out << to_pretty_json(record) << "\n";
    return 0;
  }
  out << "deployment " << found->id << "  " << to_text(found->outcome) << "\n"
      << "  environment  " << found->environment << "\n"
      << "  host         " << found->host << "\n"
      << "  revision     " << found->commit << "\n"
      << "               " << found->subject << " (" << found->author << ")\n"
      << "  before       " << (found->from_commit.empty() ? "nothing verified" : found->from_commit) << "\n"
      << "  cause        " << found->cause << ", by " << found->requested_by << "\n"
      << "  transaction  " << found->transaction << "\n"
      << "  begun        " << utc_text(found->begun_ms) << "\n";
  if (found->ended_ms != 0) out << "  took         " << duration_text(found->ended_ms - found->begun_ms) << "\n";
  if (!found->reason.empty()) out << "  why          " << first_line(found->reason) << "\n";
  out << "\nwhat happened\n";
  for (const DeploymentEvent& one : events) {
    std::string text = one.text;
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
      text.insert(at + 1, "             ");
    }
    out << "  " << utc_text(one.at_ms).substr(11, 8) << "   " << text << "\n";
  }
  return 0;
}

}  // namespace holdfast
