#include <controller/git/branch_log.hpp>

#include <controller/git/libgit.hpp>
#include <manifests/digest.hpp>
#include <manifests/problem.hpp>

#include <utility>

namespace holdfast {

namespace {

using GitDiff = std::unique_ptr<git_diff, GitFree<git_diff_free>>;

GitRepository open_anywhere(const std::string& folder) {
  start_libgit();
  git_repository* raw = nullptr;
  if (git_repository_open_ext(&raw, folder.c_str(), 0, nullptr) != 0) {
    throw Error("\"" + printable(folder) + "\" is no git repository, and lies in none: " + git_problem());
  }
  return GitRepository(raw);
}

class LibgitBranchLog : public BranchLog {
 public:
  explicit LibgitBranchLog(const std::string& folder) : repository_(open_anywhere(folder)) {}

  [[nodiscard]] std::optional<std::string> commit_at(const std::string& reference) const override {
    git_object* raw = nullptr;
    git_reference* found = nullptr;
    if (git_reference_lookup(&found, repository_.get(), reference.c_str()) != 0) return std::nullopt;
    const GitReference owner(found);
    if (git_reference_peel(&raw, found, GIT_OBJECT_COMMIT) != 0) return std::nullopt;
    const GitObject commit(raw);
    return to_text(*git_object_id(raw));
  }

  void walk(const std::string& tip, const std::function<bool(const LoggedCommit&)>& visit) const override {
    for (std::string id = tip; !id.empty();) {
      const LoggedCommit one = read(id);
      if (!visit(one)) return;
      id = one.parents.empty() ? "" : one.parents.front();
    }
  }

  [[nodiscard]] std::vector<LoggedChange> changes(const std::string& commit, std::size_t most) const override {
    const GitCommit newer = lookup(commit);
    const GitTree to = tree_of(newer.get());
    GitTree from;
    if (git_commit_parentcount(newer.get()) != 0) {
      from = tree_of(lookup(to_text(*git_commit_parent_id(newer.get(), 0))).get());
    }
    git_diff_options options{};
    check_git(git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION), "preparing");
    options.flags = GIT_DIFF_INCLUDE_TYPECHANGE | GIT_DIFF_SKIP_BINARY_CHECK;
    git_diff* raw = nullptr;
    check_object(git_diff_tree_to_tree(&raw, repository_.get(), from.get(), to.get(), &options),
                 "comparing commit " + commit + " with the one before it");
    const GitDiff diff(raw);
    std::vector<LoggedChange> list;
    for (std::size_t i = 0; i < git_diff_num_deltas(raw) && i < most; ++i) {
      list.push_back(change_of(*git_diff_get_delta(raw, i)));
    }
    return list;
  }

  [[nodiscard]] std::string blob(const std::string& id, std::size_t max_bytes) const override {
    const git_oid oid = object_id(id);
    git_blob* raw = nullptr;
    check_object(git_blob_lookup(&raw, repository_.get(), &oid), "reading the file " + id);
    const GitBlob found(raw);
    const auto size = static_cast<std::uint64_t>(git_blob_rawsize(raw));
    if (size > max_bytes) {
      throw Error("the file " + id + " has " + std::to_string(size) + " bytes, expected at most " +
                  std::to_string(max_bytes));
    }
    return {static_cast<const char*>(git_blob_rawcontent(raw)), size};
  }

  [[nodiscard]] bool contains(const std::string& descendant, const std::string& ancestor) const override {
    if (!is_object_id(descendant) || !is_object_id(ancestor)) return false;
    if (descendant == ancestor) return true;
    const git_oid newer = object_id(descendant);
    const git_oid older = object_id(ancestor);
    return git_graph_descendant_of(repository_.get(), &newer, &older) == 1;
  }

 private:
  [[nodiscard]] GitCommit lookup(const std::string& id) const {
    const git_oid oid = object_id(id);
    git_commit* raw = nullptr;
    check_object(git_commit_lookup(&raw, repository_.get(), &oid),
                 "reading commit " + id + " (a shallow clone lacks it: `git fetch --unshallow`)");
    return GitCommit(raw);
  }

  [[nodiscard]] static GitTree tree_of(git_commit* commit) {
    git_tree* raw = nullptr;
    check_object(git_commit_tree(&raw, commit), "reading the tree of commit " + to_text(*git_commit_id(commit)));
    return GitTree(raw);
  }

  [[nodiscard]] LoggedCommit read(const std::string& id) const {
    const GitCommit found = lookup(id);
    const git_signature* author = git_commit_author(found.get());
    LoggedCommit one{.id = id,
                     .message = git_commit_message_raw(found.get()),
                     .author_name = author->name,
                     .author_mail = author->email,
                     .author_time_s = author->when.time};
    for (unsigned int i = 0; i < git_commit_parentcount(found.get()); ++i) {
      one.parents.push_back(to_text(*git_commit_parent_id(found.get(), i)));
    }
    return one;
  }

  [[nodiscard]] static LoggedChange change_of(const git_diff_delta& delta) {
    LoggedChange change;
    change.what = delta.status == GIT_DELTA_ADDED     ? LoggedChange::What::added
                  : delta.status == GIT_DELTA_DELETED ? LoggedChange::What::removed
                                                      : LoggedChange::What::changed;
    const bool removed = change.what == LoggedChange::What::removed;
    const git_diff_file& file = removed ? delta.old_file : delta.new_file;
    change.path = file.path;
    change.blob = removed ? "" : to_text(file.id);
    change.plain = file.mode == GIT_FILEMODE_BLOB;
    return change;
  }

  GitRepository repository_;
};

}  // namespace

std::unique_ptr<BranchLog> BranchLog::open(const std::string& folder) {
  return std::make_unique<LibgitBranchLog>(folder);
}

}  // namespace holdfast
