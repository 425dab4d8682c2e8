#include <controller/cli/plan_reasons.hpp>

#include <controller/plan/reasons.hpp>
#include <manifests/error.hpp>

#include <algorithm>

namespace holdfast {

namespace {

bool fits(const std::shared_ptr<const Desired>& desired, const HostRecord& record) {
  if (!desired || !desired->hosts.contains(record.host)) return false;
  return desired->hosts.at(record.host).digest == record.live_bundle;
}

}  // namespace

PlanReasons::PlanReasons(Context& context, EnvironmentWorker& worker, const Environment& environment,
                         const std::string& policy_commit, const Desired& desired)
    : context_(context),
      worker_(worker),
      environment_(environment),
      policy_commit_(policy_commit),
      desired_(desired),
      mirror_(open_mirror(context.settings)),
      provenance_(*mirror_, desired.commit.id) {}

void PlanReasons::tell(HostPlan& plan) {
  if (!plan.error.empty()) return;
  HostRecord record = context_.store->host(environment_.name, plan.host).value_or(HostRecord{});
  record.host = plan.host;
  const std::shared_ptr<const Desired> live = live_of(record);
  const HostDesired wanted = desired_.host(plan.host);
  HostDesired before;
  Background known{.wanted = &wanted.lowered.bundle, .live_commit = record.live_commit};
  if (live && live->hosts.contains(plan.host)) {
    before = live->host(plan.host);
    known.live = &before.lowered.bundle;
    known.live_is_exact = fits(live, record);
  }
  known.asked = [&](const Origin& origin, bool gone) { return provenance_.asked(origin, gone, record.live_commit); };
  plan.why = reasons_of(plan.plan, known);
}

/// What was deployed: that commit under the environment as it is now, or, where that gives something else, as it was in
/// that commit.
std::shared_ptr<const Desired> PlanReasons::live_of(const HostRecord& record) {
  const std::string& commit = record.live_commit;
  if (commit.empty()) return nullptr;
  const std::shared_ptr<const Desired> now = at(commit, environment_, policy_commit_);
  if (fits(now, record) || !mirror_->commit(commit)) return now;
  const std::unique_ptr<Tree> tree = mirror_->tree(commit);
  const EnvironmentsResult then = load_environments(*tree, context_.settings.load);
  const auto found = std::ranges::find(then.environments, environment_.name, &Environment::name);
  if (found == then.environments.end()) return now;
  const std::shared_ptr<const Desired> before = at(commit, *found, commit);
  return fits(before, record) ? before : now;
}

std::shared_ptr<const Desired> PlanReasons::at(const std::string& commit, const Environment& environment,
                                               const std::string& policy_commit) {
  const auto [known, added] = known_.try_emplace(commit + policy_commit);
  if (!added) return known->second;
  try {
    EnvironmentReport report;
    known->second = worker_.desired(environment, policy_commit, commit, report);
  } catch (const Error&) {
    // The commit, or what it refers to, can't be had any more: there is nothing to compare with.
  }
  return known->second;
}

}  // namespace holdfast
