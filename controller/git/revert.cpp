#include <controller/git/revert.hpp>

#include <controller/git/libgit.hpp>
#include <controller/git/write_parts.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

namespace holdfast {

namespace {

constexpr int most_named = 5;

/// The paths that both sides changed, as many as people want to read.
std::string conflicts_of(git_index* index) {
  git_index_conflict_iterator* raw = nullptr;
  check_git(git_index_conflict_iterator_new(&raw, index), "listing conflicts");
  const GitConflicts conflicts(raw);
  std::string names;
  int count = 0;
  const git_index_entry* ancestor = nullptr;
  const git_index_entry* ours = nullptr;
  const git_index_entry* theirs = nullptr;
  while (git_index_conflict_next(&ancestor, &ours, &theirs, raw) == 0) {
    const git_index_entry* entry = ours != nullptr ? ours : ancestor != nullptr ? ancestor : theirs;
    if (++count <= most_named) names += (names.empty() ? "" : ", ") + printable(entry->path);
  }
  return count > most_named ? names + " and " + std::to_string(count - most_named) + " more" : names;
}

}  // namespace

RevertWritten write_revert(const Mirror& mirror, const std::string& bad, const std::string& onto,
                           const std::string& message, const Author& author) {
  const GitRepository repository = writable_repository(mirror);
  const GitCommit wrong = find_commit(repository.get(), bad);
  const GitCommit head = find_commit(repository.get(), onto);
  if (git_commit_parentcount(wrong.get()) == 0) return {"", "it is the first commit: there is nothing to go back to"};
  const unsigned mainline = git_commit_parentcount(wrong.get()) > 1 ? 1 : 0;
  git_index* raw = nullptr;
  check_git(git_revert_commit(&raw, repository.get(), wrong.get(), head.get(), mainline, nullptr), "reverting " + bad);
  const GitIndex index(raw);
  if (git_index_has_conflicts(raw) == 1) {
    return {"", "what came after it changed the same lines: " + conflicts_of(raw)};
  }
  git_oid tree{};
  check_git(git_index_write_tree_to(&tree, raw, repository.get()), "writing the reverted tree");
  if (git_oid_equal(&tree, git_commit_tree_id(head.get())) == 1) return {"", "nothing is left of it to revert"};
  return {commit_tree(repository.get(), tree, onto, message, author), ""};
}

}  // namespace holdfast
