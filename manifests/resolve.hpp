#pragma once

#include <manifests/environment.hpp>
#include <manifests/manifest.hpp>
#include <manifests/resource.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace holdfast {

/// A resource as some hosts have it, and what it refers to.
struct Resolved {
  Resource resource{};
  std::vector<FoundReference> references{};
  bool good = false;  // false: problems were told, the resource may not be applied
  /// False: the resource is only known by its name. A bad one is readable where it is whole without the members that
  /// are wrong; more problems may be found in it.
  bool readable = false;
};

/// Turns manifests into resources: expands variables, checks the schema, fills in defaults. A manifest is worked on
/// once for all hosts for which the variables that it uses are equal, so that a thousand hosts cost little more than
/// one.
class Resolver {
 public:
  Resolver(const LoadedManifests& loaded, const Environment& environment, std::vector<Problem>& problems);

  /// The manifest of that index for a host. Owned by the resolver.
  const Resolved& resolve(std::size_t index, const Host& host);

 private:
  [[nodiscard]] Map variables_of(const Host& host) const;
  std::unique_ptr<Resolved> make(std::size_t index, const Host& host, const Map& variables);
  static void read(Resolved& resolved, const Manifest& manifest, Value root);
  void tell(const std::vector<Finding>& findings, const Manifest& manifest, const Host& host);

  const LoadedManifests& loaded_;
  const Environment& environment_;
  std::vector<Problem>& problems_;
  std::vector<std::set<std::string>> used_;                             // variables, by manifest
  std::vector<std::map<std::string, std::unique_ptr<Resolved>>> made_;  // by manifest, then by the values of those
};

}  // namespace holdfast
