#include <controller/git/mirror_lock.hpp>

#include <manifests/error.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace holdfast {

MirrorLock::MirrorLock(const std::string& folder)
    : file_(::open((folder + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  if (file_ < 0) throw Error("can't open the lock file \"" + folder + ".lock\": " + std::strerror(errno));
  while (::flock(file_, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const std::string reason = std::strerror(errno);
    ::close(file_);
    throw Error("can't lock \"" + folder + ".lock\": " + reason);
  }
}

MirrorLock::~MirrorLock() { ::close(file_); }

}  // namespace holdfast
