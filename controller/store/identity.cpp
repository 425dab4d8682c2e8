#include <controller/store/identity.hpp>

#include <manifests/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>

namespace holdfast {

namespace {

constexpr std::size_t id_length = 32;

std::string read_id(const std::string& path) {
  std::ifstream in(path);
  std::string id;
  in >> id;
  return id;
}

bool is_id(const std::string& text) {
  return text.size() == id_length &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string random_id() {
  std::random_device device;
  std::array<char, id_length + 1> text{};
  std::snprintf(text.data(), text.size(), "%08x%08x%08x%08x", static_cast<unsigned>(device()),
                static_cast<unsigned>(device()), static_cast<unsigned>(device()), static_cast<unsigned>(device()));
  return text.data();
}

[[noreturn]] void failed(const std::string& path) {
  throw Error("cannot make the controller's identity \"" + path + "\": " + std::strerror(errno));
}

/// Whole under its name from the beginning, and the first one counts.
void make_id(const std::string& path) {
  const std::string id = random_id();
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
  if (!is_id(id)) {
    throw Error("expected 32 hexadecimal digits in \"" + path +
                "\", found something else: remove it, and take the hosts over with `holdfast adopt`");
  }
  return id;
}

}  // namespace holdfast
