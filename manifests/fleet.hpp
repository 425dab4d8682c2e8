#pragma once

#include <manifests/environment.hpp>
#include <manifests/problem.hpp>
#include <manifests/resource.hpp>
#include <manifests/tree.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace holdfast {

/// What one commit says of one environment: for each host the resources that it should have, in manifest order.
/// Immutable, shared between threads as shared_ptr<const Fleet>.
struct Fleet {
  Environment environment{};
  std::map<std::string, std::vector<Resource>> resources{};  // by host name
};

struct LoadOptions {
  /// The folder of the tree that holds manifests; "" picks `deploy/` where there is one, else the whole tree.
  std::string folder{};
};

struct EnvironmentsResult {
  std::vector<Environment> environments{};
  std::vector<Problem> problems{};  // not empty: nothing may be applied
};

struct FleetResult {
  std::shared_ptr<const Fleet> fleet{};  // null when there are problems
  /// Null unless there are problems: the resources without one, in which lowering may find more of them. Never applied.
  std::shared_ptr<const Fleet> readable{};
  std::vector<Problem> problems{};
};

/// Reads every Environment of a tree (the root branch's). Problems of other manifests are not told here.
EnvironmentsResult load_environments(const Tree& tree, const LoadOptions& options);

/// Reads the manifests that an environment applies from the tree of its tracked commit, expands `${…}` for each host,
/// checks them against their schemas, and checks names, references and cycles between them. Every problem is collected
/// before it gives up. What needs knowledge of a kind (two owners of a path) is checked by lowering, which comes after.
FleetResult load_fleet(const Tree& tree, const Environment& environment, const LoadOptions& options);

/// Every `*.yaml` and `*.yml` of the tree that is read as manifests: below the fleet's folder, not hidden, and not in a
/// folder named `files` (content for `source:`).
std::vector<std::string> manifest_paths(const Tree& tree, const LoadOptions& options);

}  // namespace holdfast
