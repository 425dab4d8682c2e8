#include <controller/cli/tree_check.hpp>

#include <controller/cli/lone_fleet.hpp>
#include <controller/git/written_sources.hpp>
#include <controller/health/health.hpp>
#include <controller/health/http_expect.hpp>
#include <manifests/document.hpp>
#include <manifests/schema.hpp>
#include <manifests/text.hpp>
#include <reconcilers/kinds/lower.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

namespace {

std::string without_host(const std::string& what) { return what.substr(0, what.find(" (on host \"")); }

/// What is wrong at one place is told once, not for each environment that applies it.
void forget_other_hosts(std::vector<Problem>& problems) {
  const auto same = [](const Problem& a, const Problem& b) {
    return a.where == b.where && without_host(a.what) == without_host(b.what);
  };
  problems.erase(std::unique(problems.begin(), problems.end(), same), problems.end());
}

std::string line_of(const std::string& text, int number) {
  std::size_t begin = 0;
  for (int line = 1; line < number; ++line) {
    begin = text.find('\n', begin);
    if (begin == std::string::npos) return {};
    ++begin;
  }
  return text.substr(begin, text.find('\n', begin) - begin);
}

/// What is known of one tree so far.
class Checking {
 public:
  Checking(const Tree& tree, const LoadOptions& options) : tree_(tree), options_(options), sources_(tree) {}

  TreeCheck run() {
    const EnvironmentsResult environments = load_environments(tree_, options_);
    add(environments.problems);
    for (const Environment& environment : environments.environments) {
      documents_.insert(environment.position);
      found_.hosts += environment.hosts.size();
      check_environment(environment);
    }
    found_.environments = environments.environments.size();
    if (environments.problems.empty() && environments.environments.empty()) {
      check_environment(lone_environment(tree_, options_));
      forget_variables(found_.problems);
    } else {  // which manifests a refused environment would apply is not known: each of them is judged alone
      check_unapplied(environments.environments);
    }
    found_.manifests = documents_.size();
    sort_problems(found_.problems);
    forget_other_hosts(found_.problems);
    return std::move(found_);
  }

 private:
  void add(const std::vector<Problem>& problems) {
    found_.problems.insert(found_.problems.end(), problems.begin(), problems.end());
  }

  void check_environment(const Environment& environment) {
    const FleetResult loaded = load_fleet(tree_, environment, options_);
    add(loaded.problems);
    if (!loaded.fleet) {
      if (loaded.readable) add(lowering_problems(*loaded.readable, tree_, sources_));
      return;
    }
    for (const auto& [host, resources] : loaded.fleet->resources) {
      for (const Resource& resource : resources) documents_.insert(resource.position);
      const Lowered lowered = lower(*loaded.fleet, host, tree_, no_commit(), sources_);
      add(lowered.problems);
      for (const Check& check : lowered.checks) add_refused(check);
    }
  }

  void add_refused(const Check& check) {
    std::string refused = refuse_check(check);
    if (refused.empty()) return;
    const Position& where = check.origin.position;
    const auto text = tree_.read(where.file, DocumentLimits().bytes);
    found_.problems.push_back({.where = where,
                               .what = "a health check can't work: " + std::move(refused),
                               .line_text = text ? line_of(*text, where.line) : std::string()});
  }

  [[nodiscard]] static bool applies(const Environment& environment, const std::string& file) {
    return environment.paths.empty() ||
           std::any_of(environment.paths.begin(), environment.paths.end(),
                       [&](const std::string& folder) { return file == folder || file.starts_with(folder + "/"); });
  }

  void check_unapplied(const std::vector<Environment>& environments) {
    for (const std::string& file : manifest_paths(tree_, options_)) {
      const auto covers = [&](const Environment& environment) { return applies(environment, file); };
      if (std::any_of(environments.begin(), environments.end(), covers)) continue;
      const auto bytes = tree_.read(file, DocumentLimits().bytes);
      if (!bytes) continue;
      const Parsed parsed = parse_documents(file, *bytes);
      add(parsed.problems);
      for (const Document& document : parsed.documents) check_alone(document);
    }
  }

  /// A document whose variables nobody sets: what holds a variable is passed over.
  void check_alone(const Document& document) {
    documents_.insert(document.position);
    const Value* kind = document.root.find("kind");
    if (kind == nullptr || !kind->is_text()) {
      found_.problems.push_back({.where = document.position,
                                 .what = "expected a manifest with apiVersion, kind, metadata and spec, found none"});
      return;
    }
    if (schema_of(kind->as_text()) == nullptr) {
      found_.problems.push_back({.where = document.at("/kind"),
                                 .what = "there is no kind \"" + kind->as_text() + "\"",
                                 .hint = nearest_hint(kind->as_text(), fleet_kinds())});
      return;
    }
    for (const Finding& finding : check_schema(kind->as_text(), document.root, document)) {
      const Value* member = json_at(document.root, finding.pointer);
      const bool varies = member != nullptr && member->is_text() && member->as_text().find("${") != std::string::npos;
      if (!varies) found_.problems.push_back(to_problem(finding, document));
    }
  }

  const Tree& tree_;
  const LoadOptions& options_;
  WrittenSources sources_;
  std::set<Position> documents_;
  TreeCheck found_;
};

}  // namespace

TreeCheck check_tree(const Tree& tree, const LoadOptions& options) { return Checking(tree, options).run(); }

}  // namespace holdfast
