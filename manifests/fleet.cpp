#include <manifests/fleet.hpp>

#include <manifests/environment_reader.hpp>
#include <manifests/references.hpp>
#include <manifests/resolve.hpp>
#include <manifests/selection.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t most_resources = 20'000;  // of one host

class FleetLoader {
 public:
  FleetLoader(const Tree& tree, const Environment& environment, const LoadOptions& options)
      : tree_(tree), environment_(environment), folders_(folders_of(options)), loaded_(load_manifests(tree, folders_)) {
    problems_ = loaded_.problems;
  }

  FleetResult load() {
    check_folders();
    find_other_hosts();
    check_selectors();
    Resolver resolver(loaded_, environment_, problems_);
    auto fleet = std::make_shared<Fleet>();
    fleet->environment = environment_;
    ReferenceCheck references;
    for (const Host& host : environment_.hosts) {
      if (problems_.size() > most_problems) break;
      fleet->resources[host.name] = resources_of(host, resolver, references);
    }
    references.tell(loaded_, problems_);
    check_rest(resolver);
    check_wanted(*fleet);
    finish_problems(problems_, loaded_.texts);
    if (!problems_.empty()) return {nullptr, std::move(fleet), std::move(problems_)};
    return {std::move(fleet), nullptr, {}};
  }

 private:
  std::vector<std::string> folders_of(const LoadOptions& options) const {
    return environment_.paths.empty() ? std::vector<std::string>{fleet_folder(tree_, options)} : environment_.paths;
  }

  void tell(std::string what, std::string hint) {
    problems_.push_back({environment_.position, std::move(what), std::move(hint), "", {}});
  }

  void check_folders() {
    for (const std::string& folder : folders_) {
      const auto inside = [&](const auto& text) { return folder.empty() || text.first.starts_with(folder + "/"); };
      if (std::any_of(loaded_.texts.begin(), loaded_.texts.end(), inside)) continue;
      tell(folder.empty()
               ? tree_.describe() + " holds no manifest"
               : "the folder \"" + folder + "\" of the environment \"" + environment_.name + "\" holds no manifest",
           "an empty desired state is never applied");
    }
  }

  /// Environments that stand in the same folders: manifests that are shared between them may name their hosts.
  void find_other_hosts() {
    for (const Manifest& manifest : loaded_.manifests) {
      if (manifest.kind != "Environment") continue;
      const Environment other = read_environment(manifest.document).environment;
      if (other.name == environment_.name) continue;
      others_.insert(others_.end(), other.hosts.begin(), other.hosts.end());
    }
  }

  void check_selectors() {
    for (const Manifest& manifest : loaded_.manifests) {
      selectors_.push_back(selector_of(manifest.document.root));
      if (manifest.kind == "Environment") continue;
      for (const Finding& finding : check_selector(selectors_.back(), environment_.hosts, others_)) {
        problems_.push_back(place_finding(finding, manifest.document, loaded_.texts));
      }
    }
    resolved_.assign(loaded_.manifests.size(), false);
  }

  std::vector<Resource> resources_of(const Host& host, Resolver& resolver, ReferenceCheck& references) {
    std::vector<const Resolved*> found;
    for (std::size_t index = 0; index < loaded_.manifests.size(); ++index) {
      if (loaded_.manifests[index].kind == "Environment" || !selectors_[index].takes(host)) continue;
      resolved_[index] = true;
      found.push_back(&resolver.resolve(index, host));
    }
    if (found.size() > most_resources) {
      tell("host \"" + host.name + "\" has " + std::to_string(found.size()) + " resources",
           "at most " + std::to_string(most_resources) + " are taken");
      return {};
    }
    references.add_host(host.name, found);
    std::vector<Resource> resources;
    for (const Resolved* resolved : found) {
      if (resolved->readable) resources.push_back(resolved->resource);
    }
    return resources;
  }

  /// What no host selects is checked too, with the first host's variables: a mistake there is a mistake.
  void check_rest(Resolver& resolver) {
    for (std::size_t index = 0; index < loaded_.manifests.size(); ++index) {
      const bool skipped = resolved_[index] || loaded_.manifests[index].kind == "Environment" || !others_.empty();
      if (!skipped && !environment_.hosts.empty()) resolver.resolve(index, environment_.hosts.front());
    }
  }

  void check_wanted(const Fleet& fleet) {
    const auto empty = [](const auto& entry) { return entry.second.empty(); };
    if (!problems_.empty() || !std::all_of(fleet.resources.begin(), fleet.resources.end(), empty)) return;
    tell("no manifest applies to any host of the environment \"" + environment_.name + "\"",
         "an empty desired state is never applied");
  }

  const Tree& tree_;
  const Environment& environment_;
  std::vector<std::string> folders_;
  LoadedManifests loaded_;
  std::vector<Problem> problems_{};
  std::vector<Host> others_{};
  std::vector<Selector> selectors_{};  // by manifest
  std::vector<bool> resolved_{};       // by manifest: some host has it
};

}  // namespace

FleetResult load_fleet(const Tree& tree, const Environment& environment, const LoadOptions& options) {
  return FleetLoader(tree, environment, options).load();
}

}  // namespace holdfast
