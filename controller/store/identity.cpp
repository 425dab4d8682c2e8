#include <controller/store/identity.hpp>

#include <controller/store/random_id.hpp>
#include <manifests/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace holdfast {

namespace {

constexpr std::size_t id_length = 32;

std::string read_id(const std::string& path) {
  std::ifstream in(path);
  std::string id;
  in >> id;
  return id;
}

[[noreturn]] void failed(const std::string& path) {
  throw Error("cannot make the controller's identity \"" + path + "\": " + std::strerror(errno));
}

/// Whole under its name from the beginning, and the first one counts.
void make_id(const std::string& path) {
  const std::string id = random_id(id_length);
  const std::string fresh = path + "." + id;
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (fd < 0) failed(path);
  const bool written = ::write(fd, id.data(), id.size()) == static_cast<ssize_t>(id.size()) && ::fsync(fd) == 0;
  ::close(fd);
  const bool put = written && (::link(fresh.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  ::unlink(fresh.c_str());
  errno = error;
  if (!put) failed(path);
}

}  // namespace

std::string controller_id(const std::string& folder) {
  const std::string path = folder + "/controller-id";
  if (::access(path.c_str(), F_OK) != 0) make_id(path);
  const std::string id = read_id(path);
  if (!is_random_id(id, id_length)) {
    throw Error("expected 32 hexadecimal digits in \"" + path +
                "\", found something else: remove it, and take the hosts over with `holdfast adopt`");
  }
  return id;
}

}  // namespace holdfast
