#include <reconcilers/host/vault.hpp>

#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/primitives/place.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace holdfast {

namespace {
constexpr std::uint64_t max_blob_bytes = 4ULL << 30U;
}

std::string HostVault::path_of(const std::string& digest) const {
  if (!has(digest)) throw Error("the content " + digest.substr(0, 12) + " is not on the host");
  return std::string(state_folder) + "/vault/" + digest;
}

bool HostVault::has(const std::string& digest) const {
  return is_sha256(digest) && ::access(state_.path("vault/" + digest).c_str(), F_OK) == 0;
}

void HostVault::save(System& system, const std::string& path, const std::string& digest) const {
  if (!is_sha256(digest)) throw Error("cannot save \"" + path + "\": its content was not read");
  if (has(digest)) return;
  const std::string incoming = std::string(state_folder) + "/vault/undo-" + digest;
  HOLDFAST_FAILPOINT("vault.save");
  system.copy(path, incoming, {.mode = 0600, .uid = {}, .gid = {}});
  if (system.digest(incoming) != digest) {
    system.remove_file(incoming);
    throw Error("\"" + path + "\" was changed by someone else while it was saved");
  }
  system.rename(incoming, std::string(state_folder) + "/vault/" + digest);
  sync_state_folder(state_.path("vault"));
}

void HostVault::keep_only(const std::set<std::string>& digests) const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(state_.path("vault"), error)) {
    const std::string name = entry.path().filename().string();
    if (!digests.contains(name)) remove_state_file(entry.path().string());
  }
}

IncomingBlob::IncomingBlob(const State& state, const std::string& digest) : state_(state), digest_(digest) {
  if (!is_sha256(digest)) throw Error("expected the digest of a blob, found another text");
  state.make_folders();
  path_ = state.path("vault/incoming-" + std::to_string(::getpid()) + "-" + digest);
  fd_ = Fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) throw_system_error("cannot write", path_, errno, -1);
}

IncomingBlob::~IncomingBlob() { ::unlink(path_.c_str()); }

void IncomingBlob::add(std::string_view bytes) {
  size_ += bytes.size();
  if (size_ > max_blob_bytes) throw Error("the blob " + digest_.substr(0, 12) + " is too large");
  sum_.add(bytes);
  append_all(fd_, bytes, path_);
}

void IncomingBlob::finish() {
  const std::string found = sum_.hex();
  if (found != digest_) throw Error("expected a blob with the digest " + digest_ + ", found " + found);
  HOLDFAST_FAILPOINT("vault.received");
  if (::fsync(fd_.get()) != 0) throw_system_error("cannot sync", path_, errno, fd_.get());
  const std::string target = state_.path("vault/" + digest_);
  if (::rename(path_.c_str(), target.c_str()) != 0) throw_system_error("cannot keep", target, errno, -1);
}

}  // namespace holdfast
