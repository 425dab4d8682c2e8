#include <controller/git/mirror_files.hpp>

#include <controller/git/mirror_lock.hpp>
#include <controller/git/small_file.hpp>
#include <manifests/error.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_url_file_bytes = 4096;

std::string url_file(const std::string& folder) { return folder + "/holdfast-remote"; }
std::string damage_file(const std::string& folder) { return folder + "/holdfast-damaged"; }

/// Whoever can write to the mirror decides what is deployed. libgit2 does not check the owner of bare repositories.
void check_folder(const std::string& folder) {
  struct stat found {};
  if (::lstat(folder.c_str(), &found) != 0) {
    if (errno == ENOENT) return;
    throw Error("can't look at the mirror \"" + folder + "\": " + std::strerror(errno));
  }
  if (!S_ISDIR(found.st_mode))
    throw Error("expected the mirror \"" + folder + "\" to be a directory, found something else");
  if (found.st_uid != geteuid()) {
    throw Error("the mirror \"" + folder + "\" belongs to user id " + std::to_string(found.st_uid) +
                ", expected the controller's own; remove it, it is only a cache");
  }
  if ((found.st_mode & 022U) != 0) {
    throw Error("the mirror \"" + folder + "\" can be written by others; remove it, it is only a cache");
  }
}

GitRepository create(const std::string& folder, const std::string& url) {
  start_libgit();
  fs::create_directories(fs::path(folder).parent_path());
  git_repository_init_options options{};
  check_git(git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION), "preparing");
  options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_DOTGIT_DIR | GIT_REPOSITORY_INIT_MKDIR;
  options.mode = 0700;
  git_repository* raw = nullptr;
  check_git(git_repository_init_ext(&raw, folder.c_str(), &options), "making the mirror \"" + folder + "\"");
  git_repository_free(raw);
  if (::chmod(folder.c_str(), 0700) != 0)
    throw Error("can't protect the mirror \"" + folder + "\": " + std::strerror(errno));
  std::ofstream(url_file(folder), std::ios::trunc) << url;
  return open_repository(folder);
}

void move_aside(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder + ".old", error);
  fs::rename(folder, folder + ".old", error);
  if (error) throw Error("can't move the mirror \"" + folder + "\" aside: " + error.message());
}

GitRepository open_if_sound(const std::string& folder, const std::string& url) {
  if (is_marked_damaged(folder) || read_small_file(url_file(folder), max_url_file_bytes) != url) return nullptr;
  try {
    return open_repository(folder);
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace

GitRepository prepare_mirror(const std::string& folder, const std::string& url) {
  check_folder(folder);
  if (GitRepository repository = open_if_sound(folder, url)) return repository;
  fs::create_directories(fs::path(folder).parent_path());
  const MirrorLock lock(folder);
  if (GitRepository repository = open_if_sound(folder, url)) return repository;
  if (fs::exists(folder)) move_aside(folder);
  return create(folder, url);
}

GitRepository rebuild_mirror(const std::string& folder, const std::string& url) {
  const MirrorLock lock(folder);
  if (fs::exists(folder)) move_aside(folder);
  return create(folder, url);
}

void mark_damaged(const std::string& folder) { std::ofstream(damage_file(folder), std::ios::trunc) << "damaged\n"; }

bool is_marked_damaged(const std::string& folder) { return fs::exists(damage_file(folder)); }

}  // namespace holdfast
