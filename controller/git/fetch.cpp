#include <controller/git/fetch_request.hpp>
#include <controller/git/mirror_lock.hpp>
#include <controller/git/pack_store.hpp>
#include <controller/git/remote_guard.hpp>
#include <controller/git/remote_setup.hpp>
#include <manifests/error.hpp>

#include <set>
#include <vector>

namespace holdfast {

namespace {

constexpr std::size_t max_joined_packs = 40;

/// Every branch of the mirror leads to a commit that can be read (the library checks its hash).
bool tips_are_sound(git_repository* repository) {
  git_reference_iterator* raw = nullptr;
  if (git_reference_iterator_glob_new(&raw, repository, "refs/holdfast/heads/*") != 0) return false;
  const GitReferences references(raw);
  git_reference* next = nullptr;
  while (git_reference_next(&next, raw) == 0) {
    const GitReference reference(next);
    git_object* object = nullptr;
    if (git_reference_peel(&object, next, GIT_OBJECT_TREE) != 0) return false;
    git_object_free(object);
  }
  return true;
}

/// Full names of the mirror's references -> what they are of the remote's, for everything that the remote has.
std::set<std::string> mirrored_names(git_remote* remote) {
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  check_git(git_remote_ls(&heads, &count, remote), "listing the remote's branches");
  std::set<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = heads[i]->name;
    if (name.rfind("refs/heads/", 0) == 0) names.insert(heads_prefix + name.substr(11));
    if (name.rfind("refs/tags/", 0) == 0) names.insert(tags_prefix + name.substr(10));
  }
  return names;
}

/// Before the new references are written: a branch "a" that went away would be in the way of a new one "a/b".
void remove_gone(git_repository* repository, const std::set<std::string>& there) {
  git_reference_iterator* raw = nullptr;
  check_git(git_reference_iterator_glob_new(&raw, repository, "refs/holdfast/*"), "listing the mirror's branches");
  const GitReferences references(raw);
  std::set<std::string> gone;
  const char* name = nullptr;
  while (git_reference_next_name(&name, raw) == 0) {
    if (!there.contains(name)) gone.insert(name);
  }
  for (const std::string& one : gone)
    check_git(git_reference_remove(repository, one.c_str()), "removing \"" + one + "\"");
}

void transfer(git_repository* repository, const FetchRequest& request, git_fetch_options& options) {
  const std::string which = request.only_branch.empty() ? "*" : request.only_branch;
  std::string heads = "+refs/heads/" + which + ":" + std::string(heads_prefix) + which;
  std::string tags = "+refs/tags/*:" + std::string(tags_prefix) + "*";
  std::string asked;
  std::vector<char*> texts = {heads.data()};
  if (request.only_branch.empty()) texts.push_back(tags.data());
  if (request.reference.starts_with("refs/")) {
    asked = "+" + request.reference + ":" + asked_prefix + request.reference.substr(5);
    texts.push_back(asked.data());
  }
  const git_strarray refspecs = {texts.data(), texts.size()};
  const GitRemote remote = remote_of(repository, request.remote.url);
  git_remote* raw = remote.get();
  check_git(git_remote_download(raw, &refspecs, &options), "fetching");
  remove_gone(repository, mirrored_names(raw));
  check_git(git_remote_update_tips(raw, &options.callbacks, 0, GIT_REMOTE_DOWNLOAD_TAGS_NONE, "fetch"),
            "updating branches");
}

}  // namespace

void run_fetch(const FetchRequest& request, bool& damaged) {
  const RemoteUrl url = url_of(request);
  const MirrorLock lock(request.folder);
  RemoteGuard guard(request, url, own_home());
  prepare_contact(request, url, guard);
  remove_partial_packs(request.folder);
  damaged = true;
  const GitRepository repository = open_repository(request.folder);
  if (!tips_are_sound(repository.get())) throw Error("the mirror is damaged: " + git_problem());
  damaged = false;
  git_fetch_options options{};
  check_git(git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION), "preparing");
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  options.update_fetchhead = 0;
  options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  options.proxy_opts.type = GIT_PROXY_NONE;
  guard.install(options.callbacks);
  try {
    transfer(repository.get(), request, options);
  } catch (const Error&) {
    if (!guard.problem().empty()) throw Error(guard.problem());
    throw;
  }
  damaged = !tips_are_sound(repository.get());
  if (damaged) throw Error("the mirror is damaged: " + git_problem());
  join_small_packs(repository.get(), request.folder, max_joined_packs);
}

}  // namespace holdfast
