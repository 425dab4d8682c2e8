#pragma once

#include <manifests/problem.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// Another environment must have been healthy for a time, all of its hosts, at the very commit that is wanted.
struct EnvironmentGate {
  std::string environment{};
  std::int64_t healthy_for_ms = 0;
  std::vector<std::string> hosts{};  // of that environment, by the same policy
  Position position{};
};

/// What must be true before an environment's hosts take another desired state. A rollback and the repair of drift are
/// never gated.
struct GatesPolicy {
  std::vector<EnvironmentGate> environments{};
};

}  // namespace holdfast
