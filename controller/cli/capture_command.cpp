#include <controller/cli/capture_command.hpp>

#include <controller/audit/audit.hpp>
#include <controller/git/publish.hpp>
#include <controller/plan/times.hpp>
#include <controller/suspend/capture.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <algorithm>
#include <chrono>
#include <ostream>

namespace holdfast {

namespace {

constexpr std::int64_t connect_ms = 20'000;  // as the daemon's
constexpr std::int64_t plan_ms = 60'000;
constexpr std::int64_t push_ms = 120'000;
constexpr std::size_t short_id = 12;

Deadline in(std::int64_t ms) { return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms); }

Environment environment_with(const Policy& policy, const CaptureOptions& options) {
  std::vector<Environment> found;
  for (const Environment& one : policy.environments) {
    if (!options.environment.empty() && one.name != options.environment) continue;
    if (std::ranges::find(one.hosts, options.host, &Host::name) != one.hosts.end()) found.push_back(one);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    throw Error("there is no host \"" + printable(options.host) + "\"" +
                (options.environment.empty() ? " in any environment"
                                             : " in an environment \"" + printable(options.environment) + "\""));
  }
  throw Error("the host is in " + found[0].name + " and " + found[1].name + ": say which with --environment");
}

/// "holdfast/capture/web1-20261121T140311Z".
std::string branch_name(const CaptureOptions& options, std::int64_t now_ms) {
  if (!options.branch.empty()) return options.branch;
  std::string time = utc_text(now_ms);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  std::ranges::replace(time, ' ', 'T');
  return "holdfast/capture/" + options.host + "-" + time;
}

struct Found {
  std::string commit{};  // the host's verified one
  Captured captured{};
};

/// The host against its verified commit: nothing is changed there.
Found look(Context& context, const Environment& environment, const std::string& policy, const std::string& host) {
  const std::string live = context.store->host(environment.name, host).value_or(HostRecord{}).live_commit;
  if (live.empty()) throw Error(host + " has no verified state yet, so nothing tells what was changed by hand");
  EnvironmentWorker worker(context.settings, *context.sessions, *context.store, context.clock, {});
  EnvironmentReport report;
  const auto desired = worker.desired(environment, policy, live, report);
  if (!desired || !report.problems.empty() || !desired->hosts.contains(host)) {
    throw Error("the host's verified commit " + live.substr(0, short_id) + " can't be read any more");
  }
  const HostDesired wanted = desired->host(host);
  auto lease = context.sessions->checkout(wanted.host, in(connect_ms));
  const PlanReply reply =
      lease->plan(wanted.lowered.bundle, {.show = true, .known = true, .digest = wanted.digest}, in(plan_ms));
  const std::unique_ptr<Mirror> mirror = open_mirror(context.settings);
  const std::unique_ptr<Tree> tree = mirror->tree(live);
  return {live, capture({.tree = *tree,
                         .environment = environment,
                         .load = context.settings.load,
                         .host = host,
                         .plan = reply.plan,
                         .live = reply.old_contents})};
}

std::string message_of(const Found& found, const Environment& environment, const CaptureOptions& options,
                       const std::string& by, std::int64_t now_ms) {
  std::string text = "Capture what was changed by hand on " + options.host + "\n\n" + "Found at " + utc_text(now_ms) +
                     " on " + options.host + " of " + environment.name + ", against " +
                     found.commit.substr(0, short_id) +
                     ".\nMerged, it holds for every host that has these manifests.\n\nTaken:\n";
  for (const std::string& id : found.captured.taken) text += "- " + printable(id) + "\n";
  if (!found.captured.left.empty()) text += "\nLeft:\n";
  for (const CaptureLeft& one : found.captured.left) text += "- " + printable(one.id + ": " + one.why) + "\n";
  return text + "\nEnvironment: " + environment.name + "\nHost: " + options.host + "\nCaptured-by: " + printable(by) +
         "\n";
}

/// The id of the commit that was pushed.
std::string publish(Context& context, const Found& found, const std::string& message, const std::string& branch) {
  const std::unique_ptr<Mirror> mirror = open_mirror(context.settings);
  if (mirror->branch(branch)) {
    throw Error("there is a branch \"" + printable(branch) + "\" already: name another one with --branch");
  }
  std::vector<FileChange> changes;
  for (const auto& [path, bytes] : found.captured.files) {
    const std::vector<TreeEntry> entries = mirror->tree(found.commit)->list("");
    const auto entry = std::ranges::find(entries, path, &TreeEntry::path);
    changes.push_back({path, bytes, entry != entries.end() && entry->type == EntryType::executable});
  }
  const std::string& by = context.settings.requested_by;
  const std::string id = write_commit(*mirror, found.commit, found.commit, changes, message,
                                      {by, by + "@localhost", context.clock.wall_ms() / 1000});
  const Pushed pushed = push(*mirror, {{id, "refs/heads/" + branch}}, in(push_ms));
  if (!pushed.rejected.empty()) {
    throw Error("the branch \"" + printable(branch) +
                "\" was not taken by the remote: " + pushed.rejected.front().reason);
  }
  return id;
}

void print_text(const Found& found, const std::string& branch, const std::string& id, std::ostream& out) {
  for (const std::string& one : found.captured.taken) out << "taken  " << printable(one) << "\n";
  for (const CaptureLeft& one : found.captured.left) out << "left   " << printable(one.id + ": " + one.why) << "\n";
  if (found.captured.taken.empty() && found.captured.left.empty()) {
    out << "nothing differs from " << found.commit.substr(0, short_id) << "\n";
  } else if (id.empty()) {
    out << "nothing could be captured\n";
  } else {
    out << "pushed " << id.substr(0, short_id) << " as branch " << printable(branch)
        << ": merged, the host has it already\n";
  }
}

Value to_value(const Found& found, const CaptureOptions& options, const std::string& branch, const std::string& id) {
  List left;
  for (const CaptureLeft& one : found.captured.left) left.push_back(Map{{"id", one.id}, {"why", printable(one.why)}});
  return Map{{"kind", "capture"},
             {"version", 1},
             {"host", options.host},
             {"from_commit", found.commit},
             {"commit", id},
             {"branch", id.empty() ? "" : branch},
             {"taken", Value::texts(found.captured.taken)},
             {"left", left}};
}

}  // namespace

int capture_command(Context& context, const CaptureOptions& options, std::ostream& out) {
  const Policy policy = fetch_policy(context);
  const Environment environment = environment_with(policy, options);
  const Found found = look(context, environment, policy.commit, options.host);
  const std::int64_t now = context.clock.wall_ms();
  const std::string& by = context.settings.requested_by;
  const std::string branch = branch_name(options, now);
  std::string id;
  if (!found.captured.files.empty()) {
    id = publish(context, found, message_of(found, environment, options, by, now), branch);
    context.store->add_audit({.kind = "capture",
                              .environment = environment.name,
                              .revision = id,
                              .hosts = {options.host},
                              .outcome = "captured",
                              .by = by,
                              .at_ms = now,
                              .record = to_value(found, options, branch, id)});
  }
  if (options.json) {
    out << to_json(to_value(found, options, branch, id)) << "\n";
  } else {
    print_text(found, branch, id, out);
  }
  if (found.captured.left.empty()) return 0;
  return id.empty() ? 1 : 3;
}

}  // namespace holdfast
