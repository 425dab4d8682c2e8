// Gates that name other environments.
#include <manifests/gates_reader.hpp>
#include <manifests/text.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

namespace {

const Environment* named(const std::vector<Environment>& environments, const std::string& name) {
  const auto found = std::ranges::find(environments, name, &Environment::name);
  return found == environments.end() ? nullptr : &*found;
}

/// True where `name` waits for `wanted`, itself or through others.
bool waits_for(const std::vector<Environment>& environments, const std::string& name, const std::string& wanted,
               std::set<std::string>& seen) {
  const Environment* environment = named(environments, name);
  if (environment == nullptr || !seen.insert(name).second) return false;
  return std::ranges::any_of(environment->gates.environments, [&](const EnvironmentGate& gate) {
    return gate.environment == wanted || waits_for(environments, gate.environment, wanted, seen);
  });
}

std::string hint_for(const std::vector<Environment>& environments, const std::string& name) {
  std::vector<std::string> names;
  for (const Environment& one : environments) names.push_back(one.name);
  const std::string near = nearest_hint(name, names);
  return near.empty() ? "environments are read from the root branch" : near;
}

}  // namespace

void resolve_gates(std::vector<Environment>& environments, std::vector<Problem>& problems) {
  for (Environment& environment : environments) {
    for (EnvironmentGate& gate : environment.gates.environments) {
      const Environment* other = named(environments, gate.environment);
      std::set<std::string> seen;
      if (other == nullptr) {
        problems.push_back({gate.position,
                            "there is no environment \"" + gate.environment + "\"",
                            hint_for(environments, gate.environment),
                            "",
                            {}});
      } else if (gate.environment == environment.name) {
        problems.push_back({gate.position,
                            "the environment \"" + environment.name + "\" waits for itself",
                            "name the one that takes a commit before it",
                            "",
                            {}});
      } else if (waits_for(environments, gate.environment, environment.name, seen)) {
        problems.push_back({gate.position,
                            "\"" + environment.name + "\" and \"" + gate.environment + "\" wait for each other",
                            "one of them must take a commit first",
                            "",
                            {other->position}});
      } else {
        for (const Host& host : other->hosts) gate.hosts.push_back(host.name);
      }
    }
  }
}

}  // namespace holdfast
