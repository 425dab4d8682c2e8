#pragma once

#include <manifests/fleet.hpp>

#include <string>
#include <utility>
#include <vector>

namespace holdfast::test {

using Files = std::vector<std::pair<std::string, std::string>>;

/// An Environment `production` with the hosts web1 (role: web) and db1 (role: db) that tracks `main`.
inline const std::string production = R"(apiVersion: holdfast.dev/v1
kind: Environment
metadata: {name: production}
spec:
  track: {branch: main}
  hosts:
    - {name: web1, labels: {role: web}}
    - {name: db1, labels: {role: db}, vars: {workers: 8}}
  vars: {domain: example.com, workers: 4}
)";

/// A manifest in one line: manifest("File", "motd", "path: /etc/motd, text: hi").
inline std::string manifest(const std::string& kind, const std::string& name, const std::string& spec,
                            const std::string& metadata = "") {
  return "apiVersion: holdfast.dev/v1\nkind: " + kind + "\nmetadata: {name: " + name +
         (metadata.empty() ? "" : ", " + metadata) + "}\nspec: {" + spec + "}\n";
}

/// The first environment of the files, with `deploy/env.yaml` as written above where none is among them.
inline FleetResult load(Files files, const std::string& environment = production) {
  files.emplace_back("deploy/env.yaml", environment);
  const MemoryTree tree(std::move(files));
  const EnvironmentsResult environments = load_environments(tree, {});
  if (!environments.problems.empty() || environments.environments.empty()) return {nullptr, nullptr, environments.problems};
  return load_fleet(tree, environments.environments.front(), {});
}

inline FleetResult load_one(const std::string& text) { return load({{"deploy/a.yaml", text}}); }

inline std::string rendered(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) text += render(problem) + "\n";
  return text;
}

/// Whether a problem of that place ("3:9", or "" for any) says these words in what it tells or hints.
inline bool tells(const std::vector<Problem>& problems, const std::string& place, const std::string& words) {
  for (const Problem& problem : problems) {
    const std::string found = std::to_string(problem.where.line) + ":" + std::to_string(problem.where.column);
    const std::string text = problem.what + ": " + problem.hint;
    if ((place.empty() || place == found) && text.find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace holdfast::test
