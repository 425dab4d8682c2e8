#include <manifests/drift_policy.hpp>

#include <manifests/document.hpp>

#include <algorithm>

namespace holdfast {

bool DriftPolicy::heals(const std::string& resource) const {
  const auto named = kinds.find(resource.substr(0, resource.find('/')));
  return named == kinds.end() ? self_heal : named->second;
}

bool DriftPolicy::heals_all() const {
  return self_heal && std::ranges::all_of(kinds, [](const auto& one) { return one.second; });
}

DriftPolicy read_drift_policy(const Value& spec, std::vector<Finding>& findings) {
  DriftPolicy policy;
  const Value* drift = spec.find("drift");
  if (drift == nullptr) return policy;
  policy.self_heal = drift->bool_or("selfHeal", true);
  const Value* named = drift->find("kinds");
  if (named == nullptr) return policy;
  for (const auto& [kind, heals] : named->as_map()) {
    const bool known = kind != "Environment" && std::ranges::find(fleet_kinds(), kind) != fleet_kinds().end();
    if (known) {
      policy.kinds[kind] = heals.as_bool();
      continue;
    }
    findings.push_back({"/spec/drift/kinds/" + pointer_segment(kind), "there is no kind \"" + kind + "\"",
                        "`holdfast explain` lists the kinds", Finding::Place::key, ""});
  }
  return policy;
}

}  // namespace holdfast
