#include <controller/git/fetch_request.hpp>
#include <controller/git/mirror_lock.hpp>
#include <controller/git/pack_store.hpp>
#include <controller/git/remote_guard.hpp>
#include <controller/git/small_file.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_ca_bytes = 4U << 20U;
constexpr std::size_t max_joined_packs = 40;
constexpr const char* system_authorities = "/etc/ssl/certs/ca-certificates.crt";

/// Git itself reads no repository of a stranger, and neither do we: its files decide what we deploy.
void check_owner(const std::string& path) {
  for (const std::string& part : {path, path + "/.git", path + "/objects"}) {
    struct stat found {};
    if (::stat(part.c_str(), &found) != 0) {
      if (part == path) throw Error("there is no directory \"" + path + "\"");
      continue;
    }
    if (found.st_uid != geteuid() && found.st_uid != 0) {
      throw Error("\"" + part + "\" belongs to user id " + std::to_string(found.st_uid) +
                  ", expected this user or root; change its owner, or fetch it over ssh");
    }
  }
}

/// libgit2 reads $HOME/.ssh/known_hosts for the kinds of host key to ask for: it finds the acceptable keys only.
void prepare_home(const std::string& folder, const std::string& known_hosts) {
  const fs::path home = fs::path(folder) / "holdfast-home";
  fs::create_directories(home / ".ssh");
  std::ofstream(home / ".ssh" / "known_hosts", std::ios::trunc) << known_hosts;
  setenv("HOME", home.c_str(), 1);
}

/// The library replaces its authorities by a file's: ours is the system's with the configured one behind it.
void trust_authority(const std::string& ca_file) {
  const auto own = read_small_file(ca_file, max_ca_bytes);
  if (!own) throw Error("the CA file \"" + ca_file + "\" can't be read");
  const std::string all = read_small_file(system_authorities, max_ca_bytes).value_or("") + "\n" + *own;
  const int file = memfd_create("holdfast-authorities", 0);
  if (file < 0 || ::write(file, all.data(), all.size()) != static_cast<ssize_t>(all.size())) {
    throw Error("can't hold the certificate authorities in memory");
  }
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  check_git(git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, path.c_str(), nullptr), "reading \"" + ca_file + "\"");
}

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
  std::string heads = "+refs/heads/*:" + std::string(heads_prefix) + "*";
  std::string tags = "+refs/tags/*:" + std::string(tags_prefix) + "*";
  std::string asked;
  std::vector<char*> texts = {heads.data(), tags.data()};
  if (request.reference.starts_with("refs/")) {
    asked = "+" + request.reference + ":" + asked_prefix + request.reference.substr(5);
    texts.push_back(asked.data());
  }
  const git_strarray refspecs = {texts.data(), texts.size()};
  git_remote_create_options creation{};
  check_git(git_remote_create_options_init(&creation, GIT_REMOTE_CREATE_OPTIONS_VERSION), "preparing");
  creation.repository = repository;
  creation.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
  git_remote* raw = nullptr;
  check_git(git_remote_create_with_opts(&raw, request.remote.url.c_str(), &creation), "preparing");
  const GitRemote remote(raw);
  check_git(git_remote_download(raw, &refspecs, &options), "fetching");
  remove_gone(repository, mirrored_names(raw));
  check_git(git_remote_update_tips(raw, &options.callbacks, 0, GIT_REMOTE_DOWNLOAD_TAGS_NONE, "fetch"),
            "updating branches");
}

std::string own_home() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : home;
}

}  // namespace

void run_fetch(const FetchRequest& request, bool& damaged) {
  const ParsedUrl parsed = parse_url(request.remote.url);
  if (!parsed.problem.empty()) throw Error(parsed.problem);
  const MirrorLock lock(request.folder);
  if (parsed.url.transport == Transport::file) check_owner(parsed.url.path);
  RemoteGuard guard(request, parsed.url, own_home());
  if (parsed.url.transport == Transport::ssh) prepare_home(request.folder, guard.preferred_keys());
  start_libgit();
  if (!request.remote.ca_file.empty()) trust_authority(request.remote.ca_file);
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
