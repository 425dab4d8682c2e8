#pragma once

#include <controller/rollout/environment_run.hpp>

#include <memory>
#include <string>

namespace holdfast {

/// The environment at a commit, from the cache or made.
std::shared_ptr<const Desired> desired_at(const EnvironmentJob& job, EnvironmentTools& tools,
                                          const std::string& commit);

}  // namespace holdfast
