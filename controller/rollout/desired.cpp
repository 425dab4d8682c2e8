#include <controller/rollout/desired.hpp>

#include <controller/git/written_sources.hpp>
#include <manifests/error.hpp>

#include <algorithm>

namespace holdfast {

namespace {

bool reads_other_repositories(const Fleet& fleet) {
  return std::ranges::any_of(fleet.resources, [](const auto& host) {
    return std::ranges::any_of(host.second, [](const Resource& resource) {
      return resource.id.kind == "Release" && resource.spec.text_or("source", "self") != "self";
    });
  });
}

}  // namespace

HostDesired Desired::host(const std::string& name) const {
  const KeptHost& kept = hosts.at(name);
  return {environment.hosts.at(kept.place), DesiredPool::unpack(kept.packed), kept.digest};
}

Desired desired_state(const Environment& environment, const Mirror& mirror, const std::string& commit,
                      ReleaseSources& sources, const LoadOptions& options) {
  Desired desired;
  desired.environment = environment;
  const auto found = mirror.commit(commit);
  if (!found) throw Error("commit " + commit + " is not in the mirror of " + mirror.remote().url);
  desired.commit = *found;

  const std::unique_ptr<Tree> tree = mirror.tree(commit);
  const FleetResult loaded = load_fleet(*tree, environment, options);
  desired.problems = loaded.problems;
  if (!loaded.fleet) {  // refused already: other repositories are not asked for the sake of more problems
    WrittenSources written(*tree);
    if (loaded.readable)
      std::ranges::copy(lowering_problems(*loaded.readable, *tree, written), std::back_inserter(desired.problems));
    sort_problems(desired.problems);
    return desired;
  }

  desired.lasting = !reads_other_repositories(*loaded.fleet);
  for (std::size_t place = 0; place < environment.hosts.size(); ++place) {
    const std::string& host = environment.hosts[place].name;
    Lowered lowered = lower(*loaded.fleet, host, *tree, commit, sources);
    std::ranges::copy(lowered.problems, std::back_inserter(desired.problems));
    std::string digest = digest_of(lowered.bundle);
    desired.hosts.emplace(host, KeptHost{place, desired.pool.pack(std::move(lowered)), std::move(digest)});
  }
  sort_problems(desired.problems);
  if (!desired.problems.empty()) desired.hosts.clear();
  return desired;
}

}  // namespace holdfast
