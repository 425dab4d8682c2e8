#include <controller/git/fetch_request.hpp>
#include <controller/git/libgit.hpp>
#include <controller/git/remote_guard.hpp>
#include <controller/git/remote_setup.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <map>

namespace holdfast {

namespace {

using References = std::map<std::string, std::string>;  // full name -> object id

/// The library has one payload for all callbacks, so what the remote says of each reference is heard beside the guard.
class PushGuard : public RemoteGuard {
 public:
  using RemoteGuard::RemoteGuard;
  void listen(git_remote_callbacks& callbacks) {
    install(callbacks);
    callbacks.push_update_reference = on_status;
  }
  [[nodiscard]] const std::map<std::string, std::string>& refused() const { return refused_; }

 private:
  static int on_status(const char* name, const char* status, void* payload) {
    auto& self = *static_cast<PushGuard*>(static_cast<RemoteGuard*>(payload));
    if (name != nullptr && status != nullptr) self.refused_[name] = status;
    return 0;
  }
  std::map<std::string, std::string> refused_;
};

bool is_behind(git_repository* repository, const std::string& old_id, const std::string& new_id) {
  const git_oid older = object_id(old_id);
  const git_oid newer = object_id(new_id);
  return git_graph_descendant_of(repository, &newer, &older) == 1;
}

/// Why an update is not sent: nothing that is there is lost by a push of ours.
std::string refusal(git_repository* repository, const References& there, const RefUpdate& update) {
  const auto found = there.find(update.name);
  if (found == there.end()) return "";
  if (update.name.starts_with("refs/tags/")) return "the tag is there already, as " + found->second;
  if (update.fresh) return "the branch is there already, at " + found->second;
  if (is_behind(repository, found->second, update.id)) return "";
  return "the branch is at " + found->second + ", which is no ancestor of " + update.id;
}

/// What has to be sent; what is refused goes to `rejected`, what the remote has is left out.
std::vector<RefUpdate> to_send(git_repository* repository, const References& there,
                               const std::vector<RefUpdate>& updates, std::vector<RejectedUpdate>& rejected) {
  std::vector<RefUpdate> wanted;
  for (const RefUpdate& update : updates) {
    const auto found = there.find(update.name);
    if (found != there.end() && found->second == update.id) continue;
    const std::string reason = refusal(repository, there, update);
    if (reason.empty()) {
      wanted.push_back(update);
    } else {
      rejected.push_back({update, reason});
    }
  }
  return wanted;
}

References advertised(git_remote* remote) {
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  check_git(git_remote_ls(&heads, &count, remote), "listing the remote's branches");
  References found;
  for (std::size_t i = 0; i < count; ++i) found[heads[i]->name] = to_text(heads[i]->oid);
  return found;
}

/// The library sends what a reference names, not what an id does. A child that was killed leaves its references, under
/// names that the next one of the same object uses again.
class Sources {
 public:
  Sources(git_repository* repository, const std::vector<RefUpdate>& updates) : repository_(repository) {
    for (const RefUpdate& update : updates) {
      const std::string name = "refs/own/push/" + update.id;
      const git_oid id = object_id(update.id);
      git_reference* raw = nullptr;
      check_git(git_reference_create(&raw, repository, name.c_str(), &id, 1, nullptr), "preparing the push");
      git_reference_free(raw);
      names_.push_back(name);
      refspecs_.push_back(name + ":" + update.name);
    }
  }
  ~Sources() {
    for (const std::string& name : names_) git_reference_remove(repository_, name.c_str());
  }
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;
  std::vector<std::string>& refspecs() { return refspecs_; }

 private:
  git_repository* repository_;
  std::vector<std::string> names_{};
  std::vector<std::string> refspecs_{};
};

void upload(git_repository* repository, git_remote* remote, const std::vector<RefUpdate>& updates,
            const git_push_options& options) {
  Sources sources(repository, updates);
  std::vector<char*> pointers;
  for (std::string& text : sources.refspecs()) pointers.push_back(text.data());
  const git_strarray refspecs = {pointers.data(), pointers.size()};
  check_git(git_remote_upload(remote, &refspecs, &options), "pushing");
}

std::vector<RejectedUpdate> push_over_network(git_repository* repository, const FetchRequest& request,
                                              PushGuard& guard) {
  git_remote_connect_options contact{};
  check_git(git_remote_connect_options_init(&contact, GIT_REMOTE_CONNECT_OPTIONS_VERSION), "preparing");
  contact.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  contact.proxy_opts.type = GIT_PROXY_NONE;
  guard.listen(contact.callbacks);
  git_push_options options{};
  check_git(git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION), "preparing");
  options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  options.proxy_opts.type = GIT_PROXY_NONE;
  options.callbacks = contact.callbacks;
  const GitRemote remote = remote_of(repository, request.remote.url);
  check_git(git_remote_connect_ext(remote.get(), GIT_DIRECTION_PUSH, &contact), "connecting");
  std::vector<RejectedUpdate> rejected;
  const auto wanted = to_send(repository, advertised(remote.get()), request.push, rejected);
  if (wanted.empty()) return rejected;
  upload(repository, remote.get(), wanted, options);
  for (const RefUpdate& update : wanted) {
    const auto said = guard.refused().find(update.name);
    if (said != guard.refused().end()) rejected.push_back({update, "the remote refuses it: " + said->second});
  }
  return rejected;
}

// A repository in this file system is written to without the library's own transport, which takes bare ones only.

References references_in(git_repository* there) {
  git_reference_iterator* raw = nullptr;
  check_git(git_reference_iterator_new(&raw, there), "listing the remote's branches");
  const GitReferences references(raw);
  References found;
  git_reference* next = nullptr;
  while (git_reference_next(&next, raw) == 0) {
    const GitReference reference(next);
    if (const git_oid* id = git_reference_target(next)) found[git_reference_name(next)] = to_text(*id);
  }
  return found;
}

void copy_objects(git_repository* from, git_repository* to, const References& there,
                  const std::vector<RefUpdate>& updates) {
  git_revwalk* raw_walk = nullptr;
  check_git(git_revwalk_new(&raw_walk, from), "listing what is missing");
  const GitWalk walk(raw_walk);
  git_packbuilder* raw = nullptr;
  check_git(git_packbuilder_new(&raw, from), "packing");
  const GitPackBuilder builder(raw);
  for (const RefUpdate& update : updates) {
    const git_oid id = object_id(update.id);
    check_git(git_revwalk_push(raw_walk, &id), "finding " + update.id);
    git_tag* tag = nullptr;
    if (git_tag_lookup(&tag, from, &id) != 0) continue;
    const GitTag found(tag);
    check_git(git_packbuilder_insert(raw, &id, nullptr), "packing a tag");
  }
  for (const auto& [name, text] : there) {
    const git_oid id = object_id(text);
    git_commit* known = nullptr;
    if (git_commit_lookup(&known, from, &id) != 0) continue;
    const GitCommit found(known);
    check_git(git_revwalk_hide(raw_walk, &id), "leaving out " + text);
  }
  check_git(git_packbuilder_insert_walk(raw, raw_walk), "packing");
  if (git_packbuilder_object_count(raw) == 0) return;
  git_buf folder = GIT_BUF_INIT;
  check_git(git_repository_item_path(&folder, to, GIT_REPOSITORY_ITEM_OBJECTS), "finding the remote's objects");
  const std::string packs = std::string(folder.ptr, folder.size) + "/pack";
  git_buf_dispose(&folder);
  check_git(git_packbuilder_write(raw, packs.c_str(), 0, nullptr, nullptr), "writing to \"" + packs + "\"");
}

bool is_checked_out(git_repository* there, const std::string& name) {
  git_reference* raw = nullptr;
  if (git_repository_is_bare(there) == 1 || git_reference_lookup(&raw, there, "HEAD") != 0) return false;
  const GitReference head(raw);
  const char* target = git_reference_symbolic_target(raw);
  return target != nullptr && name == target;
}

/// Empty, or why the reference could not be set: it must still be what it was.
std::string set_reference(git_repository* there, const References& before, const RefUpdate& update) {
  if (is_checked_out(there, update.name)) return "the branch is checked out there";
  const git_oid id = object_id(update.id);
  git_reference* raw = nullptr;
  const auto old = before.find(update.name);
  int code = 0;
  if (old == before.end()) {
    code = git_reference_create(&raw, there, update.name.c_str(), &id, 0, "push by holdfast");
  } else {
    const git_oid expected = object_id(old->second);
    code = git_reference_create_matching(&raw, there, update.name.c_str(), &id, 1, &expected, "push by holdfast");
  }
  git_reference_free(raw);
  return code == 0 ? "" : git_problem();
}

std::vector<RejectedUpdate> push_to_files(git_repository* repository, const FetchRequest& request,
                                          const std::string& path) {
  git_repository* raw = nullptr;
  check_git(git_repository_open_ext(&raw, path.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr),
            "opening \"" + path + "\"");
  const GitRepository there(raw);
  check_git(git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1), "making writes durable");
  const References before = references_in(raw);
  std::vector<RejectedUpdate> rejected;
  const auto wanted = to_send(repository, before, request.push, rejected);
  if (wanted.empty()) return rejected;
  copy_objects(repository, raw, before, wanted);
  for (const RefUpdate& update : wanted) {
    const std::string reason = set_reference(raw, before, update);
    if (!reason.empty()) rejected.push_back({update, reason});
  }
  return rejected;
}

}  // namespace

std::vector<RejectedUpdate> run_push(const FetchRequest& request) {
  const RemoteUrl url = url_of(request);
  PushGuard guard(request, url, own_home());
  prepare_contact(request, url, guard);
  const GitRepository repository = open_repository(request.folder);
  if (url.transport == Transport::file) return push_to_files(repository.get(), request, url.path);
  try {
    return push_over_network(repository.get(), request, guard);
  } catch (const Error&) {
    if (!guard.problem().empty()) throw Error(guard.problem());
    throw;
  }
}

}  // namespace holdfast
