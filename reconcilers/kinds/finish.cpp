#include <reconcilers/kinds/finish.hpp>

#include <manifests/error.hpp>
#include <manifests/manifest.hpp>
#include <manifests/text.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t most_manifest_bytes = 4U << 20U;
constexpr std::string_view release_reference = "@Release/";

using Commits = std::map<std::string, std::string>;  // by release name

/// Replaces texts of the form "@Release/NAME" anywhere in an expectation.
void put_commits(Value& value, const Commits& commits, const Origin& origin, std::vector<Problem>& problems) {
  if (value.is_map()) {
    for (auto& [key, member] : value.as_map()) put_commits(member, commits, origin, problems);
  }
  if (!value.is_text() || !value.as_text().starts_with(release_reference)) return;
  const std::string name = value.as_text().substr(release_reference.size());
  if (const auto found = commits.find(name); found != commits.end()) {
    value = found->second;
    return;
  }
  std::vector<std::string> names;
  for (const auto& [known, commit] : commits) names.push_back(known);
  Problem problem;
  problem.where = origin.position;
  problem.what = "\"" + value.as_text() + "\" is no Release of this host";
  problem.hint = nearest_hint(name, names);
  problems.push_back(std::move(problem));
}

void put_commits(Check& check, const Commits& commits, std::vector<Problem>& problems) {
  for (auto& [type, spec] : check.spec.as_map()) {
    for (const char* expectation : {"json", "body", "header", "output"}) {
      if (spec.find(expectation) != nullptr) put_commits(spec[expectation], commits, check.origin, problems);
    }
  }
}

std::string read_manifest(const Tree& tree, const std::string& path) {
  try {
    return tree.read(path, most_manifest_bytes).value_or("");
  } catch (const Error&) {
    return {};  // the line is only shown beside the problem, which stands without it
  }
}

}  // namespace

std::vector<Validator> finish_validators(const std::vector<Draft>& drafts) {
  std::vector<Validator> all;
  std::set<std::pair<std::string, std::vector<std::string>>> known;
  for (const Draft& draft : drafts) {
    for (const Validator& validator : draft.validators) {
      if (known.insert({validator.name, validator.argv}).second) all.push_back(validator);
    }
  }
  return all;
}

void finish_checks(Lowered& lowered, const std::vector<Draft>& drafts) {
  Commits commits;
  for (const Draft& draft : drafts) {
    const std::size_t slash = draft.resource.find('/');
    if (draft.resource.starts_with("Release/")) commits[draft.resource.substr(slash + 1)] = draft.revision;
  }
  std::map<std::string, int> seen;
  for (Check& check : lowered.checks) {
    put_commits(check, commits, lowered.problems);
    const int count = ++seen[check.name];
    if (count > 1) check.name += " (" + std::to_string(count) + ")";
  }
}

void finish_problems(std::vector<Problem>& problems, const Tree& tree) {
  std::map<std::string, std::string> texts;
  for (const Problem& problem : problems) {
    const std::string& file = problem.where.file;
    if (!texts.contains(file)) texts[file] = read_manifest(tree, file);
  }
  finish_problems(problems, texts);
}

}  // namespace holdfast
