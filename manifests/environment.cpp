#include <manifests/environment_reader.hpp>
#include <manifests/fleet.hpp>
#include <manifests/gates_reader.hpp>
#include <manifests/manifest.hpp>

namespace holdfast {

namespace {

/// A file that can't be read whole could hide an Environment: then its problems are told, else they are those of
/// another manifest, which is judged where it is applied.
bool may_hide_environment(const Problem& problem, const LoadedManifests& loaded) {
  if (!loaded.complete) return true;
  if (problem.what.starts_with("unknown kind")) return problem.hint.find("\"Environment\"?") != std::string::npos;
  const auto text = loaded.texts.find(problem.where.file);
  return text == loaded.texts.end() || text->second.find("Environment") != std::string::npos;
}

}  // namespace

EnvironmentsResult load_environments(const Tree& tree, const LoadOptions& options) {
  EnvironmentsResult result;
  const LoadedManifests loaded = load_manifests(tree, {fleet_folder(tree, options)});
  for (const Problem& problem : loaded.problems) {
    if (may_hide_environment(problem, loaded)) result.problems.push_back(problem);
  }
  std::map<std::string, Position> names;
  for (const Manifest& manifest : loaded.manifests) {
    if (manifest.kind != "Environment") continue;
    ReadEnvironment read = read_environment(manifest.document);
    read_key_files(tree, read.environment.approval, read.environment.commits, read.findings);
    for (const Finding& finding : read.findings) {
      result.problems.push_back(place_finding(finding, manifest.document, loaded.texts));
    }
    if (!read.findings.empty() || read.environment.name.empty()) continue;
    const auto [first, is_new] = names.emplace(read.environment.name, manifest.document.position);
    if (is_new) {
      result.environments.push_back(std::move(read.environment));
      continue;
    }
    result.problems.push_back({manifest.document.at("/metadata/name"),
                               "the environment \"" + first->first + "\" is there twice",
                               "rename one of them",
                               "",
                               {first->second}});
  }
  if (result.problems.empty()) resolve_gates(result.environments, result.problems);
  finish_problems(result.problems, loaded.texts);
  return result;
}

}  // namespace holdfast
