#include <controller/git/publish.hpp>

#include <controller/git/libgit.hpp>
#include <controller/git/mirror_files.hpp>
#include <controller/git/mirror_lock.hpp>
#include <controller/git/pack_store.hpp>
#include <controller/git/write_parts.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

namespace {

constexpr const char* own_prefix = "refs/own/";

/// A name or mail address that a header can hold.
std::string plain(const std::string& text, const char* otherwise) {
  std::string kept;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= ' ' && c != '<' && c != '>' && c != '\x7f') kept += c;
  }
  const std::size_t begin = kept.find_first_not_of(" .,:;\"\\'");
  return begin == std::string::npos ? otherwise : kept.substr(begin, kept.find_last_not_of(" .,:;\"\\'") + 1 - begin);
}

GitSignature signature_of(const Author& author) {
  git_signature* raw = nullptr;
  check_git(git_signature_new(&raw, plain(author.name, "holdfast").c_str(), plain(author.mail, "holdfast").c_str(),
                              author.time_s, 0),
            "naming the author");
  return GitSignature(raw);
}

std::string ended(std::string message) {
  if (message.find('\0') != std::string::npos) throw Error("a message for git has a NUL byte");
  if (message.empty() || message.back() != '\n') message += '\n';
  return message;
}

bool stands_in(git_tree* tree, const std::string& path) {
  git_tree_entry* raw = nullptr;
  if (tree == nullptr || git_tree_entry_bypath(&raw, tree, path.c_str()) != 0) return false;
  git_tree_entry_free(raw);
  return true;
}

git_oid write_blob(git_repository* repository, const std::string& bytes) {
  git_oid id{};
  check_git(git_blob_create_from_buffer(&id, repository, bytes.data(), bytes.size()), "writing a file");
  return id;
}

GitTree base_tree(git_repository* repository, const std::string& base) {
  if (base.empty()) return nullptr;
  git_tree* raw = nullptr;
  check_git(git_commit_tree(&raw, find_commit(repository, base).get()), "reading the tree of " + base);
  return GitTree(raw);
}

git_oid changed_tree(git_repository* repository, git_tree* base, const std::vector<FileChange>& changes) {
  std::vector<git_tree_update> updates;
  std::set<std::string> seen;
  for (const FileChange& change : changes) {
    if (!seen.insert(change.path).second) throw Error("\"" + printable(change.path) + "\" is changed twice");
    git_tree_update update{};
    update.path = change.path.c_str();
    update.filemode = change.executable ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
    update.action = change.content ? GIT_TREE_UPDATE_UPSERT : GIT_TREE_UPDATE_REMOVE;
    if (change.content) update.id = write_blob(repository, *change.content);
    if (change.content || stands_in(base, change.path)) updates.push_back(update);
  }
  git_oid id{};
  if (updates.empty() && base != nullptr) return *git_tree_id(base);
  if (updates.empty()) {
    git_treebuilder* raw = nullptr;
    check_git(git_treebuilder_new(&raw, repository, nullptr), "writing an empty tree");
    const GitTreeBuilder builder(raw);
    check_git(git_treebuilder_write(&id, raw), "writing an empty tree");
    return id;
  }
  check_git(git_tree_create_updated(&id, repository, base, updates.size(), updates.data()), "changing the tree");
  return id;
}

std::string checked_own(const std::string& reference) {
  int valid = 0;
  const bool named = git_reference_name_is_valid(&valid, reference.c_str()) == 0 && valid == 1;
  if (!named || !reference.starts_with(own_prefix)) {
    throw Error("expected a reference such as \"refs/own/heads/…\", found \"" + printable(reference) + "\"");
  }
  return reference;
}

void check_update(const RefUpdate& update) {
  int valid = 0;
  const bool named = git_reference_name_is_valid(&valid, update.name.c_str()) == 0 && valid == 1;
  if (!named || !(update.name.starts_with("refs/heads/") || update.name.starts_with("refs/tags/"))) {
    throw Error("expected a branch or tag by its full name, found \"" + printable(update.name) + "\"");
  }
  if (!is_object_id(update.id)) throw Error("\"" + printable(update.id) + "\" is no object id");
}

}  // namespace

GitRepository writable_repository(const Mirror& mirror) {
  if (mirror.folder().empty()) throw Error("this mirror is not of files: nothing can be written into it");
  GitRepository repository = open_repository(mirror.folder());
  // An object that a crash cut short stays in the way of the same object for ever.
  check_git(git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1), "making writes durable");
  return repository;
}

GitCommit find_commit(git_repository* repository, const std::string& id) {
  const git_oid oid = object_id(id);
  git_commit* raw = nullptr;
  check_git(git_commit_lookup(&raw, repository, &oid), "looking up commit " + id);
  return GitCommit(raw);
}

std::string commit_tree(git_repository* repository, const git_oid& tree_id, const std::string& parent,
                        const std::string& message, const Author& author) {
  git_tree* raw_tree = nullptr;
  check_git(git_tree_lookup(&raw_tree, repository, &tree_id), "reading the new tree");
  const GitTree tree(raw_tree);
  const GitCommit before = parent.empty() ? nullptr : find_commit(repository, parent);
  const git_commit* parents[] = {before.get()};
  const GitSignature who = signature_of(author);
  git_oid id{};
  check_git(git_commit_create(&id, repository, nullptr, who.get(), who.get(), nullptr, ended(message).c_str(),
                              tree.get(), before == nullptr ? 0 : 1, parents),
            "writing a commit");
  return to_text(id);
}

std::string write_commit(const Mirror& mirror, const std::string& parent, const std::string& base,
                         const std::vector<FileChange>& changes, const std::string& message, const Author& author) {
  const GitRepository repository = writable_repository(mirror);
  const GitTree from = base_tree(repository.get(), base);
  const git_oid tree_id = changed_tree(repository.get(), from.get(), changes);
  return commit_tree(repository.get(), tree_id, parent, message, author);
}

std::string write_tag(const Mirror& mirror, const std::string& commit, const std::string& name,
                      const std::string& message, const Author& author, const Signer& signer) {
  check_update({commit, "refs/tags/" + name});
  const GitRepository repository = writable_repository(mirror);
  const GitCommit target = find_commit(repository.get(), commit);
  const std::string who = plain(author.name, "holdfast") + " <" + plain(author.mail, "holdfast") + ">";
  std::string bytes = "object " + commit + "\ntype commit\ntag " + name + "\ntagger " + who + " " +
                      std::to_string(author.time_s) + " +0000\n\n" + ended(message);
  if (signer) bytes += signer(bytes);
  git_odb* raw = nullptr;
  check_git(git_repository_odb(&raw, repository.get()), "opening the mirror's objects");
  const GitOdb odb(raw);
  git_oid id{};
  check_git(git_odb_write(&id, raw, bytes.data(), bytes.size(), GIT_OBJECT_TAG), "writing a tag");
  return to_text(id);
}

void keep(const Mirror& mirror, const std::string& reference, const std::string& id) {
  const GitRepository repository = writable_repository(mirror);
  const git_oid oid = object_id(id);
  git_reference* raw = nullptr;
  check_git(git_reference_create(&raw, repository.get(), checked_own(reference).c_str(), &oid, 1, nullptr),
            "keeping \"" + printable(reference) + "\"");
  git_reference_free(raw);
}

std::optional<std::string> kept(const Mirror& mirror, const std::string& reference) {
  const GitRepository repository = writable_repository(mirror);
  git_oid id{};
  if (git_reference_name_to_id(&id, repository.get(), checked_own(reference).c_str()) != 0) return std::nullopt;
  git_object* raw = nullptr;
  if (git_object_lookup(&raw, repository.get(), &id, GIT_OBJECT_ANY) != 0) return std::nullopt;
  git_object_free(raw);
  return to_text(id);
}

void forget(const Mirror& mirror, const std::string& reference) {
  const GitRepository repository = writable_repository(mirror);
  const int code = git_reference_remove(repository.get(), checked_own(reference).c_str());
  if (code != GIT_ENOTFOUND) check_git(code, "forgetting \"" + printable(reference) + "\"");
}

void pack_written(const Mirror& mirror, std::size_t most) {
  const GitRepository repository = writable_repository(mirror);
  const MirrorLock lock(mirror.folder());
  pack_loose_objects(repository.get(), mirror.folder(), most);
}

Pushed push(const Mirror& mirror, const std::vector<RefUpdate>& updates, Deadline deadline) {
  if (updates.empty()) return {};
  if (updates.size() > max_push_updates) throw Error("too many references for one push");
  start_libgit();
  std::for_each(updates.begin(), updates.end(), check_update);
  FetchRequest request;
  request.folder = mirror.folder();
  request.remote = mirror.remote();
  request.push = updates;
  const FetchOutcome outcome = run_fetch_child(mirror.options(), request, deadline);
  const std::string url = printable(mirror.remote().url);
  if (outcome.exit != FetchExit::done) throw Error("can't push to \"" + url + "\": " + outcome.problem);
  return pushed_from(outcome.answer, updates);
}

}  // namespace holdfast
