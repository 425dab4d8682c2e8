#include <controller/git/remote_setup.hpp>

#include <controller/git/small_file.hpp>
#include <manifests/error.hpp>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_ca_bytes = 4U << 20U;
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
  // A push and a fetch may run at once, and neither may see the other's file half written.
  const fs::path own = home / ".ssh" / ("known_hosts." + std::to_string(getpid()));
  std::ofstream(own, std::ios::trunc) << known_hosts;
  fs::rename(own, home / ".ssh" / "known_hosts");
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

}  // namespace

std::string own_home() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : home;
}

RemoteUrl url_of(const FetchRequest& request) {
  const ParsedUrl parsed = parse_url(request.remote.url);
  if (!parsed.problem.empty()) throw Error(parsed.problem);
  if (parsed.url.transport == Transport::file) check_owner(parsed.url.path);
  return parsed.url;
}

void prepare_contact(const FetchRequest& request, const RemoteUrl& url, const RemoteGuard& guard) {
  if (url.transport == Transport::ssh) prepare_home(request.folder, guard.preferred_keys());
  start_libgit();
  if (!request.remote.ca_file.empty()) trust_authority(request.remote.ca_file);
}

GitRemote remote_of(git_repository* repository, const std::string& url) {
  git_remote_create_options creation{};
  check_git(git_remote_create_options_init(&creation, GIT_REMOTE_CREATE_OPTIONS_VERSION), "preparing");
  creation.repository = repository;
  creation.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
  git_remote* raw = nullptr;
  check_git(git_remote_create_with_opts(&raw, url.c_str(), &creation), "preparing");
  return GitRemote(raw);
}

}  // namespace holdfast
