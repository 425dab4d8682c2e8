#pragma once

#include <controller/rollout/environment_run.hpp>

#include <memory>
#include <string>

namespace holdfast {

/// Which commit an environment should be at now, and why not the tracked ref's head where it is another.
struct SourceState {
  std::string head{};    // of the tracked ref; empty where it is gone
  std::string target{};  // what to roll out; empty: nothing may be done
  std::string state{};   // following, pinned, rewritten, lost
  std::string detail{};
};

/// The rules of following a ref, pure but for reading the mirror: a deleted one keeps what was accepted last, a
/// rewritten one is refused (unless the policy allows it), a person's rollback holds while the head stays.
SourceState follow(const Environment& environment, const Mirror& mirror, const std::string& accepted,
                   const std::optional<Pin>& pin);

/// The environment at a commit, from the cache or made.
std::shared_ptr<const Desired> desired_at(const EnvironmentJob& job, EnvironmentTools& tools,
                                          const std::string& commit);

}  // namespace holdfast
