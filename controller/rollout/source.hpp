#pragma once

#include <controller/rollout/environment_run.hpp>

#include <memory>
#include <string>

namespace holdfast {

/// The environment at a commit, from the cache or made.
std::shared_ptr<const Desired> desired_at(const EnvironmentJob& job, EnvironmentTools& tools,
                                          const std::string& commit);

/// What a host had when it was verified at `commit`: with the policy of that time, where that is known and the
/// environment was in it already, else with the newest one. Reached it is as it is now.
std::shared_ptr<const Desired> verified_at(const EnvironmentJob& job, EnvironmentTools& tools, const std::string& host,
                                           const std::string& commit);

}  // namespace holdfast
