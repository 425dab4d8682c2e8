#include <controller/rollout/source.hpp>

#include <controller/rollout/root_branch.hpp>
#include <controller/rollout/tracking.hpp>
#include <manifests/error.hpp>

#include <malloc.h>

#include <algorithm>
#include <functional>
#include <optional>

namespace holdfast {

namespace {

constexpr std::size_t shown_problems = 10;

std::string summary(const std::vector<Problem>& problems) {
  std::string text = std::to_string(problems.size()) + (problems.size() == 1 ? " problem" : " problems");
  for (std::size_t i = 0; i < std::min(problems.size(), shown_problems); ++i) {
    text += "\n" + to_text(problems[i].where) + ": " + problems[i].what;
    if (!problems[i].hint.empty()) text += ": " + problems[i].hint;
  }
  return text;
}

void remember(EnvironmentTools& tools, const EnvironmentRecord& before, EnvironmentRecord now) {
  const bool same = before.state == now.state && before.detail == now.detail && before.head == now.head;
  now.changed_ms = same ? before.changed_ms : tools.host.clock.wall_ms();
  if (same && before.accepted == now.accepted && before.tracked == now.tracked &&
      before.accepted_tag == now.accepted_tag) {
    return;
  }
  tools.host.store.put_environment(now);
  if (same || !tools.host.on_progress || now.state == "following" || now.state == "stale")
    return;  // stale: told for all of them
  tools.host.on_progress({Progress::Level::warning, now.name, "", now.state + ": " + now.detail});
}

/// Which commits a desired state is made of.
struct MadeOf {
  std::string policy{};
  std::string content{};
};

std::shared_ptr<const Desired> desired_with(const EnvironmentJob& job, EnvironmentTools& tools, const MadeOf& of,
                                            const std::function<std::optional<Environment>()>& environment) {
  const std::scoped_lock lock(tools.git);
  tools.sources.use_commit(of.content);
  auto desired = tools.cache.get(job.environment.name + "\n" + of.policy + "\n" + of.content, [&] {
    const auto known = environment();
    Desired made;
    if (known) {
      made = desired_state(*known, tools.mirror, of.content, tools.sources, job.load);
    } else {
      made.problems.push_back({.what = "environment " + job.environment.name + " is not in " + of.policy});
    }
    made.policy = of.policy;
    malloc_trim(0);  // the manifests of all hosts were in memory at once
    return made;
  });
  for (const std::string& note : tools.sources.take_notes()) {
    if (tools.host.on_progress) tools.host.on_progress({Progress::Level::warning, job.environment.name, "", note});
  }
  return desired;
}

}  // namespace

std::shared_ptr<const Desired> desired_at(const EnvironmentJob& job, EnvironmentTools& tools,
                                          const std::string& commit) {
  return desired_with(job, tools, {tools.policy_commit, commit}, [&job] { return job.environment; });
}

std::shared_ptr<const Desired> verified_at(const EnvironmentJob& job, EnvironmentTools& tools, const std::string& host,
                                           const std::string& commit) {
  const std::string policy = tools.host.store.policy_of(job.environment.name, host, commit);
  if (policy.empty() || policy == tools.policy_commit) return desired_at(job, tools, commit);
  auto then = desired_with(job, tools, {policy, commit}, [&]() -> std::optional<Environment> {
    if (!tools.mirror.commit(policy)) return std::nullopt;
    const EnvironmentsResult read = load_environments(*tools.mirror.tree(policy), job.load);
    const auto found = std::ranges::find(read.environments, job.environment.name, &Environment::name);
    return found == read.environments.end() ? std::nullopt : std::optional<Environment>(*found);
  });
  return then->problems.empty() && then->hosts.contains(host) ? then : desired_at(job, tools, commit);
}

std::shared_ptr<const Desired> desired_now(const EnvironmentJob& job, EnvironmentTools& tools,
                                           EnvironmentReport& report) {
  Store& store = tools.host.store;
  const EnvironmentRecord before = store.environment(job.environment.name).value_or(EnvironmentRecord{});
  auto pin = store.pin(job.environment.name);
  const auto follow_now = [&] {
    const std::scoped_lock lock(tools.git);
    return follow(job.environment.track, tools.mirror, tools.policy_commit, before, pin);
  };
  const auto has_commit = [&tools](const std::string& commit) {
    const std::scoped_lock lock(tools.git);
    return tools.mirror.commit(commit).has_value();
  };
  SourceState source = follow_now();
  if (source.state == "following" && source.head == tools.refused_head) {
    source.state = "refused";
    source.detail = "commit " + source.head.substr(0, 12) + " is refused: the environments in it can't be taken";
    source.target = before.accepted;
    report.refused = source.detail;
  }
  if (pin && source.state != "pinned" && !source.head.empty()) store.remove_pin(job.environment.name);

  EnvironmentRecord now{.name = job.environment.name,
                        .tracked = tracked_text(job.environment.track),
                        .head = source.head,
                        .accepted = before.accepted,
                        .state = source.state,
                        .detail = source.detail,
                        .accepted_tag = before.accepted_tag};
  if (source.state == "rewritten" || source.state == "lost") report.refused = source.detail;
  if (source.target.empty() || !has_commit(source.target)) {
    remember(tools, before, now);
    return nullptr;
  }

  report.commit = source.target;
  report.tag = source.target == source.head ? source.tag : "";
  auto desired = desired_at(job, tools, source.target);
  if (!desired->problems.empty()) {
    report.problems = desired->problems;
    now.state = "refused";
    now.detail = "commit " + source.target.substr(0, 12) + (report.tag.empty() ? "" : " (" + report.tag + ")") +
                 " is refused: " + summary(desired->problems);
    const bool fall_back = !before.accepted.empty() && before.accepted != source.target && has_commit(before.accepted);
    desired = fall_back ? desired_at(job, tools, before.accepted) : nullptr;
    if (desired && !desired->problems.empty()) desired = nullptr;
  } else if (source.state == "following") {
    now.accepted = source.target;
    now.accepted_tag = source.tag;
    const auto root = root_record(store);
    if (root && root->stale_ms != 0) {
      now.state = "stale";
      now.detail = stale_text(*root);
    }
  }
  remember(tools, before, now);
  return desired;
}

}  // namespace holdfast
