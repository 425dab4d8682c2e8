#pragma once

#include <manifests/schema.hpp>
#include <manifests/value.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// What is done about drift: what differs on a host though no commit asked for it.
struct DriftPolicy {
  bool self_heal = true;                // of the kinds that are not named
  std::map<std::string, bool> kinds{};  // "NginxSite" -> whether it is put right

  /// Whether drift of a resource ("NginxSite/cvd"; empty: of none that the manifests still name) is put right.
  [[nodiscard]] bool heals(const std::string& resource) const;
  [[nodiscard]] bool heals_all() const;
};

/// From the spec of an Environment that its schema has accepted, and what a schema can't say of it.
DriftPolicy read_drift_policy(const Value& spec, std::vector<Finding>& findings);

}  // namespace holdfast
