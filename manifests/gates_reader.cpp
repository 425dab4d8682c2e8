#include <manifests/gates_reader.hpp>

#include <manifests/formats.hpp>
#include <manifests/text.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

namespace {

EnvironmentGate environment_gate(const Value& one, const std::string& pointer, const Document& document) {
  return {.environment = one.at("environment").as_text(),
          .healthy_for_ms = duration_ms(one.text_or("healthyFor", "0s")),
          .position = document.at(pointer + "/environment")};
}

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

GatesPolicy read_gates(const Value& spec, const Document& document, std::vector<Finding>& findings) {
  GatesPolicy gates;
  const Value* required = spec.find("requires");
  if (required == nullptr) return gates;
  for (std::size_t index = 0; index < required->as_list().size(); ++index) {
    const Value& one = required->as_list()[index];
    const std::string pointer = "/spec/requires/" + std::to_string(index);
    EnvironmentGate gate = environment_gate(one, pointer, document);
    if (std::ranges::find(gates.environments, gate.environment, &EnvironmentGate::environment) !=
        gates.environments.end()) {
      findings.push_back({pointer + "/environment", "the gate of \"" + gate.environment + "\" is there twice",
                          "keep the one with the longer \"healthyFor\"", Finding::Place::value, ""});
    }
    gates.environments.push_back(std::move(gate));
  }
  return gates;
}

void resolve_gates(std::vector<Environment>& environments, std::vector<Problem>& problems) {
  for (Environment& environment : environments) {
    for (EnvironmentGate& gate : environment.gates.environments) {
      const Environment* other = named(environments, gate.environment);
      std::set<std::string> seen;
      if (other == nullptr) {
        problems.push_back({gate.position, "there is no environment \"" + gate.environment + "\"",
                            hint_for(environments, gate.environment), "", {}});
      } else if (gate.environment == environment.name) {
        problems.push_back({gate.position, "the environment \"" + environment.name + "\" waits for itself",
                            "name the one that takes a commit before it", "", {}});
      } else if (waits_for(environments, gate.environment, environment.name, seen)) {
        problems.push_back({gate.position,
                            "\"" + environment.name + "\" and \"" + gate.environment + "\" wait for each other",
                            "one of them must take a commit first", "", {other->position}});
      } else {
        for (const Host& host : other->hosts) gate.hosts.push_back(host.name);
      }
    }
  }
}

}  // namespace holdfast
