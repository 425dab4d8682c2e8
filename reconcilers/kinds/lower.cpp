#include <reconcilers/kinds/lower.hpp>

#include <manifests/error.hpp>
#include <manifests/text.hpp>
#include <reconcilers/kinds/assembly.hpp>
#include <reconcilers/kinds/finish.hpp>
#include <reconcilers/kinds/kind.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t most_primitives = 20'000;
constexpr std::size_t most_told = 1'000;  // problems; whoever has more of them begins with these

void refuse_kind(Lowering& to) {
  std::vector<std::string> names;
  for (const Kind& kind : resource_kinds()) names.emplace_back(kind.name);
  to.problem("/kind", "\"" + to.resource().id.kind + "\" is no kind that a host can have",
             nearest_hint(to.resource().id.kind, names));
}

Draft draft_of(const Resource& resource, const Inputs& inputs) {
  Lowering to(resource, inputs);
  const auto kind = std::find_if(resource_kinds().begin(), resource_kinds().end(),
                                 [&](const Kind& one) { return one.name == resource.id.kind; });
  if (kind == resource_kinds().end()) {
    refuse_kind(to);
  } else {
    while_doing("lowering " + to_text(resource.id), [&] { kind->lower(to); });
  }
  return std::move(to.draft);
}

void collect(Draft& draft, Lowered& lowered) {
  lowered.contents.merge(draft.contents);
  lowered.checks.insert(lowered.checks.end(), draft.checks.begin(), draft.checks.end());
  lowered.problems.insert(lowered.problems.end(), draft.problems.begin(), draft.problems.end());
}

Assembly assemble(const std::vector<Draft>& drafts, const std::vector<Resource>& resources) {
  Assembly assembly = merge_drafts(drafts);
  resolve_references(assembly, drafts, resources);
  add_implied_edges(assembly);
  settle(assembly);
  check_paths(assembly);
  check_cycles(assembly);
  return assembly;
}

}  // namespace

std::vector<Problem> lowering_problems(const Fleet& readable, const Tree& tree, ReleaseSources& sources) {
  const Inputs inputs{tree, std::string(40, '0'), sources};
  std::vector<Problem> problems;
  for (const auto& [host, resources] : readable.resources) {
    std::vector<Draft> drafts;
    for (const Resource& resource : resources) drafts.push_back(draft_of(resource, inputs));
    for (const Draft& draft : drafts) std::ranges::copy(draft.problems, std::back_inserter(problems));
    Assembly assembly = merge_drafts(drafts);
    check_paths(assembly);
    std::ranges::copy(assembly.problems, std::back_inserter(problems));
    if (problems.size() > most_told) break;
  }
  finish_problems(problems, tree);
  return problems;
}

Lowered lower(const Fleet& fleet, const std::string& host, const Tree& tree, const std::string& commit,
              ReleaseSources& sources) {
  const auto found = fleet.resources.find(host);
  static const std::vector<Resource> none;
  const std::vector<Resource>& resources = found == fleet.resources.end() ? none : found->second;
  const Inputs inputs{tree, commit, sources};

  Lowered lowered;
  std::vector<Draft> drafts;
  for (const Resource& resource : resources) drafts.push_back(draft_of(resource, inputs));
  for (Draft& draft : drafts) collect(draft, lowered);

  Assembly assembly = assemble(drafts, resources);
  if (assembly.wanted.size() > most_primitives) {
    assembly.problem(resources.front().position, "host \"" + host + "\" has more than 20,000 primitives", "");
  }
  lowered.bundle = {.environment = fleet.environment.name, .host = host, .commit = commit};
  lowered.bundle.prune = fleet.environment.prune;
  lowered.bundle.validators = finish_validators(drafts);
  lowered.bundle.wanted = std::move(assembly.wanted);
  lowered.problems.insert(lowered.problems.end(), assembly.problems.begin(), assembly.problems.end());
  finish_checks(lowered, drafts);
  finish_problems(lowered.problems, tree);
  return lowered;
}

}  // namespace holdfast
