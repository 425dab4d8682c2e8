#include <controller/cli/deploy_commands.hpp>
#include <controller/cli/plan_command.hpp>
#include <controller/cli/plan_gates.hpp>
#include <controller/cli/plan_reasons.hpp>
#include <controller/cli/render_plan.hpp>
#include <controller/plan/content_view.hpp>
#include <controller/plan/plan_words.hpp>
#include <controller/rollout/parallel.hpp>
#include <controller/rollout/suspension.hpp>
#include <controller/rollout/tracking.hpp>
#include <manifests/error.hpp>

#include <algorithm>
#include <mutex>
#include <ostream>

namespace holdfast {

namespace {

constexpr std::int64_t connect_ms = 20'000;  // as the daemon's
constexpr std::int64_t plan_ms = 60'000;
constexpr std::size_t patient_workers = 64;  // so that some dead hosts leave room for the others
constexpr std::int64_t fetch_ms = 120'000;
constexpr std::size_t diff_lines_on_a_terminal = 80;

Deadline in(std::int64_t ms) { return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms); }

/// Asks hosts for their plans, several at once; one that can't be reached has its reason instead.
class Looker {
 public:
  Looker(Context& context, const Desired& desired, EnvironmentWorker& worker)
      : context_(context),
        desired_(desired),
        worker_(worker),
        holds_(context.store->holds(desired.environment.name)),
        suspensions_(context.store->suspensions(desired.environment.name)) {}

  std::vector<HostPlan> look(const std::vector<std::string>& only) {
    std::vector<std::string> hosts;
    for (const auto& [name, host] : desired_.hosts) {
      if (only.empty() || std::ranges::find(only, name) != only.end()) hosts.push_back(name);
    }
    std::vector<HostPlan> plans;
    in_parallel(hosts, context_.settings.workers + patient_workers, [&](const std::string& host) {
      HostPlan plan = look_at(std::make_shared<const HostDesired>(desired_.host(host)));
      const std::scoped_lock lock(adding_);
      plans.push_back(std::move(plan));
    });
    std::ranges::sort(plans, {}, &HostPlan::host);
    return plans;
  }

 private:
  HostPlan look_at(const std::shared_ptr<const HostDesired>& wanted) {
    const HostDesired& host = *wanted;
    HostPlan plan;
    plan.host = host.host.name;
    plan.environment = desired_.environment.name;
    plan.commit = desired_.commit.id;
    plan.new_content = [this, wanted](const std::string& digest) { return content(*wanted, digest); };
    for (const Check& check : host.lowered.checks) plan.checks.push_back(check.name);
    plan.running = running_units(host.lowered.bundle);
    plan.down_ms = context_.store->downs(plan.environment, plan.host);
    try {
      auto lease = context_.sessions->checkout(host.host, in(connect_ms));
      PlanReply reply =
          lease->plan(host.lowered.bundle, {.show = true, .known = true, .digest = host.digest}, in(plan_ms));
      plan.plan = std::move(reply.plan);
      plan.old_contents = std::move(reply.old_contents);
      keep_contents(plan);
      tell_release_sizes(plan.plan, host.lowered.bundle);
    } catch (const Error& error) {
      plan.error = error.what();
    }
    tell_held(plan, host);
    tell_suspended(plan);
    return plan;
  }

  void tell_held(HostPlan& plan, const HostDesired& host) const {
    for (const Hold& hold : holds_) {
      if (hold.host != plan.host || hold.bundle != host.digest) continue;
      plan.notes.push_back("held, and not applied until `holdfast retry " + plan.environment +
                           "`: " + hold.reason.substr(0, hold.reason.find('\n')));
    }
  }

  void tell_suspended(HostPlan& plan) const {
    const std::int64_t now = context_.clock.wall_ms();
    for (const Suspension& one : suspensions_) {
      if (now >= one.until_ms || (!one.host.empty() && one.host != plan.host)) continue;
      plan.notes.push_back(scope_text(one) + ": " + to_text(one) +
                           "; nothing of it is changed before that, or `holdfast resume " + one.environment + "`");
    }
  }

  std::string content(const HostDesired& host, const std::string& digest) {
    const auto found = host.lowered.contents.find(digest);
    if (found == host.lowered.contents.end()) return {};
    const std::scoped_lock lock(reading_);
    return worker_.read_content(found->second);
  }

  Context& context_;
  const Desired& desired_;
  EnvironmentWorker& worker_;
  std::vector<Hold> holds_;
  std::vector<Suspension> suspensions_;
  std::mutex adding_;
  std::mutex reading_;
};

/// The commit of a reference that is no branch or tag, such as a pull request's head.
std::string revision_of(const Context& context, const std::string& asked) {
  if (!asked.starts_with("refs/")) return asked;
  return open_mirror(context.settings)->fetch_reference(asked, in(fetch_ms));
}

int plan_code(const EnvironmentPlan& plan) {
  const auto any = [&](auto test) { return std::ranges::any_of(plan.hosts, test); };
  if (!plan.problems.empty() || any([](const HostPlan& one) { return !one.error.empty(); })) return 1;
  if (!plan.refused.empty() || any([](const HostPlan& one) { return !one.plan.refusals.empty(); })) return 4;
  return any([](const HostPlan& one) { return !one.plan.actions.empty(); }) ? 2 : 0;
}

void tell_commit(EnvironmentPlan& plan, const Commit& commit) {
  plan.commit = commit.id;
  plan.subject = commit.summary;
  plan.author = commit.author;
  plan.committed_s = commit.time;
}

}  // namespace

void print_plan(const EnvironmentPlan& plan, const DeployOptions& options, std::ostream& out) {
  const bool fit = options.terminal.live && !options.full;
  const RenderOptions render{.colour = options.terminal.colour,
                             .width = options.terminal.width,
                             .fit = fit,
                             .diff_lines = fit ? diff_lines_on_a_terminal : 0};
  switch (options.format) {
    case PlanFormat::text:
      out << render_plan_text(plan, render);
      break;
    case PlanFormat::json:
      out << render_plan_json(plan);
      break;
    case PlanFormat::markdown:
      out << render_plan_markdown(plan, render);
      break;
  }
}

LookedAt look_at_environment(Context& context, const Policy& policy, const Environment& environment,
                             EnvironmentWorker& worker, const DeployOptions& options) {
  EnvironmentReport report;
  const auto desired = worker.desired(environment, policy.commit, revision_of(context, options.revision), report);

  EnvironmentPlan plan{
      .environment = environment.name,
      .tracked = options.revision.empty() ? tracked_text(environment.track) : "as if it were at " + options.revision};
  if (!report.tag.empty() && environment.track.is_pattern()) plan.tracked += ", " + report.tag;
  plan.refused = report.refused;
  plan.commit = report.commit;
  plan.health_window_ms = environment.health.window_ms;
  for (const Problem& problem : report.problems) plan.problems.push_back(render(problem));
  if (desired && plan.problems.empty()) {
    tell_commit(plan, desired->commit);
    plan.hosts = Looker(context, *desired, worker).look(options.hosts);
    tell_gates(context, *desired, plan.hosts);
    if (options.why) {
      PlanReasons reasons(context, worker, environment, policy.commit, *desired);
      for (HostPlan& host : plan.hosts) reasons.tell(host);
    }
  }
  return {std::move(plan), desired};
}

int plan_command(Context& context, const DeployOptions& options, std::ostream& out) {
  const Policy policy = fetch_policy(context);
  const Environment environment = find_environment(policy, options.environment);
  check_hosts(environment, options.hosts);
  EnvironmentWorker worker(context.settings, *context.sessions, *context.store, context.clock, {});
  worker.refuse(policy.refused_head);
  const LookedAt looked = look_at_environment(context, policy, environment, worker, options);
  print_plan(looked.plan, options, out);
  return !looked.desired && looked.plan.problems.empty() ? 4 : plan_code(looked.plan);
}

}  // namespace holdfast
