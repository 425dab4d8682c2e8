#pragma once

#include <controller/notify/queue.hpp>
#include <controller/rollout/root_branch.hpp>
#include <controller/store/store.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// A deployment that ended, with what is needed to tell of it.
struct EndedDeployment {
  Ended ended{};
  Deployment deployment{};
  std::vector<std::string> journal{};  // the failing units' last lines
  bool held = false;                   // its commit is, on that host
};

/// All that is looked at to find what is new.
struct NewsInput {
  std::int64_t now_ms = 0;
  std::vector<EndedDeployment> ended{};
  std::vector<RolloutRecord> rollouts{};
  std::map<std::string, std::vector<HostRecord>> hosts{};  // by environment
  std::map<std::string, std::vector<Wait>> waits{};        // by environment
  std::vector<EnvironmentRecord> environments{};
  std::optional<RootRecord> root{};
  std::vector<Suspension> suspensions{};
  ToldMap told{};
};

/// What is new, and what is then told. Pure but for the ids, which notifications do not have yet. What lasts (a held
/// commit, a lost branch, a host that is away) is told when it begins and when it ends, however often it is looked at.
News news_of(const NewsInput& input);

/// The unit's lines among a deployment's events: "cvd.service | started".
std::vector<std::string> journal_of(const std::vector<DeploymentEvent>& events);

}  // namespace holdfast
