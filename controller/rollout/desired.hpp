#pragma once

#include <controller/git/mirror.hpp>
#include <controller/rollout/desired_pool.hpp>
#include <manifests/fleet.hpp>
#include <reconcilers/kinds/lower.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace holdfast {

/// What one host should be at one commit.
struct HostDesired {
  Host host{};
  Lowered lowered{};
  std::string digest{};  // of the bundle
};

/// The same while it is kept for a thousand hosts: what they have in common is in a pool.
struct KeptHost {
  std::size_t place = 0;  // in the environment's list
  DesiredPool::Packed packed{};
  std::string digest{};
};

/// What an environment should be at one commit: everything that follows from git alone. Immutable once made.
struct Desired {
  Commit commit{};
  Environment environment{};
  DesiredPool pool{};
  std::map<std::string, KeptHost> hosts{};
  std::vector<Problem> problems{};  // not empty: the commit is refused whole and `hosts` is empty
  std::string policy{};             // the root branch's commit that `environment` is of
  bool lasting = true;  // false: it reads other repositories, so the same commit may say another thing later

  /// One of `hosts`, whole.
  [[nodiscard]] HostDesired host(const std::string& name) const;
};

/// Loads the manifests of `commit` under the policy of `environment` and lowers every host. Throws Error only when the
/// mirror can't be read; what is wrong with the commit is in `problems`.
Desired desired_state(const Environment& environment, const Mirror& mirror, const std::string& commit,
                      ReleaseSources& sources, const LoadOptions& options);

}  // namespace holdfast
