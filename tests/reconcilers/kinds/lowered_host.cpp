#include "lowered_host.hpp"

#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include <algorithm>
#include <stdexcept>

namespace holdfast {

SourceTree HeldReleases::resolve(const std::string& repository, const SourceRevision& revision,
                                 const std::string& folder) {
  const std::string name = revision.tag + revision.branch + revision.commit;
  const std::string key = repository + (name.empty() ? "" : " " + name);
  const auto found = trees.find(key);
  if (found == trees.end()) throw Error("expected \"" + name + "\" in \"" + repository + "\", found no such revision");
  SourceTree tree;
  tree.commit = found->second.commit;
  for (SourceEntry entry : found->second.entries) {
    if (!folder.empty() && !entry.path.starts_with(folder + "/")) continue;
    if (!folder.empty()) entry.path.erase(0, folder.size() + 1);
    tree.entries.push_back(entry);
  }
  if (tree.entries.empty()) throw Error("expected a folder \"" + folder + "\", found none");
  return tree;
}

SourceEntry& HeldReleases::add(const std::string& key, const std::string& path, const std::string& content) {
  SourceTree& tree = trees[key];
  if (tree.commit.empty()) tree.commit = key == "self" ? self_commit : sha256(key).substr(0, 40);
  SourceEntry entry;
  entry.path = path;
  entry.digest = sha256(content);
  entry.object = sha256("blob " + content).substr(0, 40);
  entry.size = content.size();
  tree.entries.push_back(entry);
  return tree.entries.back();
}

const Wanted& LoweredHost::at(const std::string& id) const {
  for (const Wanted& wanted : lowered.bundle.wanted) {
    if (to_text(wanted.id) == id) return wanted;
  }
  throw std::runtime_error("no primitive " + id + "; problems: " + report());
}

bool LoweredHost::has(const std::string& id) const {
  return std::any_of(lowered.bundle.wanted.begin(), lowered.bundle.wanted.end(),
                     [&](const Wanted& wanted) { return to_text(wanted.id) == id; });
}

std::string LoweredHost::content_of(const std::string& path) const {
  return lowered.contents.at(at("file:" + path).attributes.at("content").as_text()).bytes;
}

std::vector<std::string> LoweredHost::after(const std::string& id) const {
  std::vector<std::string> names;
  for (const PrimitiveId& needed : at(id).after) names.push_back(to_text(needed));
  return names;
}

bool LoweredHost::is_after(const std::string& id, const std::string& needed) const {
  const std::vector<std::string> names = after(id);
  return std::find(names.begin(), names.end(), needed) != names.end();
}

std::vector<std::string> LoweredHost::loads(const std::string& unit) const {
  return at(unit).parameters.at("loads").as_texts();
}

const Check& LoweredHost::check(const std::string& name) const {
  for (const Check& one : lowered.checks) {
    if (one.name == name) return one;
  }
  throw std::runtime_error("no check " + name + "; problems: " + report());
}

std::string LoweredHost::report() const {
  std::string text;
  for (const Problem& problem : problems) text += render(problem) + "\n";
  return text;
}

LoweredHost lower_host(const std::string& yaml, const Files& files, ReleaseSources& sources) {
  Files all = files;
  all.emplace_back("deploy/host.yaml", yaml);
  const MemoryTree tree(std::move(all));
  Environment environment;
  environment.name = "test";
  Host host;
  host.name = "web1";
  environment.hosts.push_back(host);
  const FleetResult fleet = load_fleet(tree, environment, {});
  LoweredHost result;
  result.problems = fleet.problems;
  if (!fleet.fleet) return result;
  result.lowered = lower(*fleet.fleet, "web1", tree, self_commit, sources);
  result.problems = result.lowered.problems;
  return result;
}

LoweredHost lower_host(const std::string& yaml, const Files& files) {
  HeldReleases sources;
  sources.add("self", "app.py", "print('hello')\n");
  return lower_host(yaml, files, sources);
}

std::string manifest(const std::string& kind, const std::string& name, const std::string& spec,
                     const std::string& after) {
  const std::string metadata = "{name: \"" + name + "\"" + (after.empty() ? "" : ", after: [" + after + "]") + "}";
  return "---\napiVersion: holdfast.dev/v1\nkind: " + kind + "\nmetadata: " + metadata + "\nspec: " + spec + "\n";
}

}  // namespace holdfast
