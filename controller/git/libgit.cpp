#include <controller/git/libgit.hpp>

#include <manifests/problem.hpp>

#include <git2/sys/repository.h>

#include <array>

namespace holdfast {

namespace {

constexpr std::size_t cached_object_bytes = 16U << 20U;

bool start() {
  check_git(git_libgit2_init(), "starting libgit2");
  for (const git_config_level_t level :
       {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL}) {
    check_git(git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, ""), "emptying git's configuration path");
  }
  check_git(git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, ""), "emptying git's template path");
  check_git(git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0), "setting the owner check");
  check_git(git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, static_cast<ssize_t>(cached_object_bytes)),
            "limiting the cache");
  return true;
}

}  // namespace

void start_libgit() {
  static const bool started = start();
  static_cast<void>(started);
}

GitRepository open_repository(const std::string& folder) {
  start_libgit();
  git_repository* raw = nullptr;
  check_git(git_repository_open_bare(&raw, folder.c_str()), "opening the mirror \"" + folder + "\"");
  GitRepository repository(raw);
  git_config* raw_config = nullptr;
  check_git(git_config_new(&raw_config), "making an empty configuration");
  const GitConfig config(raw_config);
  check_git(git_repository_set_config(raw, raw_config), "replacing the mirror's configuration");
  return repository;
}

std::string git_problem() {
  const git_error* error = git_error_last();
  return printable(error == nullptr || error->message == nullptr ? "no reason given" : error->message);
}

void check_git(int code, const std::string& doing) {
  if (code < 0) throw Error(doing + ": " + git_problem());
}

void check_object(int code, const std::string& doing) {
  if (code < 0) throw DamagedObject(doing + ": " + git_problem());
}

git_oid object_id(const std::string& text) {
  git_oid id{};
  if (text.size() != GIT_OID_HEXSZ || git_oid_fromstr(&id, text.c_str()) != 0) {
    throw Error("expected a full object id, found \"" + printable(text) + "\"");
  }
  return id;
}

std::string to_text(const git_oid& id) {
  std::array<char, GIT_OID_HEXSZ + 1> text{};
  git_oid_tostr(text.data(), text.size(), &id);
  return text.data();
}

}  // namespace holdfast
