#include <controller/git/mirror.hpp>

#include <controller/git/fetch_request.hpp>
#include <controller/git/mirror_files.hpp>
#include <controller/git/mirror_tree.hpp>
#include <controller/git/signed_objects.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t min_abbreviation = 7;
constexpr std::size_t max_summary_bytes = 300;

std::string first_line(const char* text) {
  const std::string all = text == nullptr ? "" : text;
  return printable(all.substr(0, std::min(all.find('\n'), max_summary_bytes)));
}

/// "Name <mail>".
std::string person(const git_signature& who) {
  return first_line((std::string(who.name) + " <" + who.email + ">").c_str());
}

bool is_abbreviation(const std::string& text) {
  return text.size() >= min_abbreviation && text.size() < GIT_OID_HEXSZ &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

class LibgitMirror : public Mirror {
 public:
  LibgitMirror(std::string folder, Remote remote, MirrorOptions options)
      : folder_(std::move(folder)), remote_(std::move(remote)), options_(std::move(options)) {
    repository_ = prepare_mirror(folder_, remote_.url);
  }

  void fetch(Deadline deadline) override { fetch_with("", deadline); }

  std::string fetch_reference(const std::string& reference, Deadline deadline) override {
    int valid = 0;
    const bool named = git_reference_name_is_valid(&valid, reference.c_str()) == 0 && valid == 1;
    if (!named || !reference.starts_with("refs/")) {
      throw Error("\"" + printable(reference) + "\" is no full name of a reference such as \"refs/pull/17/head\"");
    }
    fetch_with(reference, deadline);
    const auto found = commit_at(asked_prefix + reference.substr(5));
    if (!found) {
      throw Error("\"" + printable(reference) + "\" is no commit of \"" + printable(remote_.url) + "\"");
    }
    return *found;
  }

  [[nodiscard]] std::optional<std::string> branch(const std::string& name) const override {
    return commit_at(heads_prefix + name);
  }
  [[nodiscard]] std::optional<std::string> tag(const std::string& name) const override {
    return commit_at(tags_prefix + name);
  }

  [[nodiscard]] std::vector<std::string> tag_names() const override {
    git_reference_iterator* raw = nullptr;
    const std::string all = std::string(tags_prefix) + "*";
    check_git(git_reference_iterator_glob_new(&raw, repository_.get(), all.c_str()), "listing the mirror's tags");
    const GitReferences references(raw);
    std::vector<std::string> names;
    const char* name = nullptr;
    while (git_reference_next_name(&name, raw) == 0) names.emplace_back(std::string_view(name).substr(all.size() - 1));
    return names;
  }

  [[nodiscard]] std::optional<std::string> resolve(const std::string& text) const override {
    if (is_object_id(text)) return commit(text) ? std::optional(text) : std::nullopt;
    if (auto found = branch(text)) return found;
    if (auto found = tag(text)) return found;
    return is_abbreviation(text) ? by_abbreviation(text) : std::nullopt;
  }

  [[nodiscard]] std::optional<Commit> commit(const std::string& id) const override {
    const GitCommit found = lookup(id);
    if (found == nullptr) return std::nullopt;
    std::vector<std::string> parents;
    for (unsigned int i = 0; i < git_commit_parentcount(found.get()); ++i) {
      parents.push_back(to_text(*git_commit_parent_id(found.get(), i)));
    }
    return Commit{.id = id,
                  .tree = to_text(*git_commit_tree_id(found.get())),
                  .author = person(*git_commit_author(found.get())),
                  .committer = person(*git_commit_committer(found.get())),
                  .summary = first_line(git_commit_message(found.get())),
                  .time = git_commit_time(found.get()),
                  .parents = std::move(parents)};
  }

  [[nodiscard]] bool is_ancestor(const std::string& ancestor, const std::string& descendant) const override {
    if (lookup(ancestor) == nullptr || lookup(descendant) == nullptr) return false;
    if (ancestor == descendant) return true;
    const git_oid older = object_id(ancestor);
    const git_oid newer = object_id(descendant);
    const int answer = git_graph_descendant_of(repository_.get(), &newer, &older);
    check_git(answer, "comparing commits " + ancestor + " and " + descendant);
    return answer == 1;
  }

  [[nodiscard]] std::unique_ptr<Tree> tree(const std::string& commit) const override {
    if (lookup(commit) == nullptr) throw Error("the mirror has no commit \"" + printable(commit) + "\"");
    return std::make_unique<MirrorTree>(folder_, commit);
  }

  [[nodiscard]] std::string blob(const std::string& id, std::size_t max_bytes) const override {
    if (!has_object(id)) throw Error("the mirror has no blob \"" + printable(id) + "\"");
    return marking_damage(folder_, [&] { return read_blob(repository_.get(), id, max_bytes); });
  }

  [[nodiscard]] std::string object_at(const std::string& commit, const std::string& path) const override {
    const GitCommit found = lookup(commit);
    if (found == nullptr) return "";
    git_tree* raw_tree = nullptr;
    if (git_commit_tree(&raw_tree, found.get()) != 0) return "";
    const GitTree tree(raw_tree);
    if (path.empty()) return to_text(*git_tree_id(raw_tree));
    git_tree_entry* raw = nullptr;
    if (git_tree_entry_bypath(&raw, raw_tree, path.c_str()) != 0) return "";
    const GitTreeEntry entry(raw);
    return to_text(*git_tree_entry_id(raw));
  }

  [[nodiscard]] std::optional<TagObject> tag_object(const std::string& name) const override {
    return read_tag_object(repository_.get(), tags_prefix + name);
  }
  [[nodiscard]] std::optional<SignedBytes> commit_signature(const std::string& id) const override {
    if (lookup(id) == nullptr) return std::nullopt;
    return read_commit_signature(repository_.get(), id);
  }

  [[nodiscard]] const Remote& remote() const override { return remote_; }
  [[nodiscard]] const std::string& folder() const override { return folder_; }
  [[nodiscard]] const MirrorOptions& options() const override { return options_; }

 private:
  void fetch_with(const std::string& reference, Deadline deadline) {
    if (is_marked_damaged(folder_)) rebuild();
    FetchRequest wanted = request();
    wanted.reference = reference;
    const auto once = [&] { return run_fetch_child(options_, wanted, deadline); };
    FetchOutcome outcome = once();
    if (outcome.exit == FetchExit::damaged) {
      rebuild();
      outcome = once();
    }
    if (outcome.exit != FetchExit::done) {
      throw Error("can't fetch \"" + printable(remote_.url) + "\": " + outcome.problem);
    }
  }

  void rebuild() {
    repository_.reset();
    repository_ = rebuild_mirror(folder_, remote_.url);
  }

  [[nodiscard]] FetchRequest request() const {
    FetchRequest request;
    request.folder = folder_;
    request.remote = remote_;
    request.max_bytes = options_.max_fetch_bytes;
    request.only_branch = options_.only_branch;
    return request;
  }

  [[nodiscard]] bool has_object(const std::string& id) const {
    const git_oid oid = object_id(id);
    git_odb* raw = nullptr;
    check_git(git_repository_odb(&raw, repository_.get()), "opening the mirror's objects");
    const GitOdb odb(raw);
    return git_odb_exists(raw, &oid) == 1;
  }

  [[nodiscard]] GitCommit lookup(const std::string& id) const {
    if (id.size() != GIT_OID_HEXSZ || !is_object_id(id)) return nullptr;
    const git_oid oid = object_id(id);
    git_commit* raw = nullptr;
    return git_commit_lookup(&raw, repository_.get(), &oid) == 0 ? GitCommit(raw) : nullptr;
  }

  [[nodiscard]] std::optional<std::string> commit_at(const std::string& reference) const {
    int valid = 0;
    if (git_reference_name_is_valid(&valid, reference.c_str()) != 0 || valid == 0) return std::nullopt;
    git_reference* raw = nullptr;
    if (git_reference_lookup(&raw, repository_.get(), reference.c_str()) != 0) return std::nullopt;
    const GitReference found(raw);
    git_object* peeled = nullptr;
    if (git_reference_peel(&peeled, raw, GIT_OBJECT_COMMIT) != 0) return std::nullopt;
    const GitObject commit(peeled);
    return to_text(*git_object_id(peeled));
  }

  [[nodiscard]] std::optional<std::string> by_abbreviation(const std::string& text) const {
    git_oid oid{};
    check_git(git_oid_fromstrn(&oid, text.c_str(), text.size()), "reading \"" + text + "\"");
    git_commit* raw = nullptr;
    const int code = git_commit_lookup_prefix(&raw, repository_.get(), &oid, text.size());
    if (code == GIT_EAMBIGUOUS) throw Error("\"" + text + "\" could be several objects; give more digits");
    if (code != 0) return std::nullopt;
    const GitCommit found(raw);
    return to_text(*git_commit_id(raw));
  }

  std::string folder_;
  Remote remote_;
  MirrorOptions options_;
  GitRepository repository_;
};

}  // namespace

std::unique_ptr<Mirror> Mirror::open(const std::string& folder, const Remote& remote, const MirrorOptions& options) {
  if (const auto refused = refuse_url(remote.url))
    throw Error("the remote \"" + printable(remote.url) + "\" is refused: " + *refused);
  return std::make_unique<LibgitMirror>(folder, remote, options);
}

}  // namespace holdfast
