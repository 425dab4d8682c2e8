#include <controller/store/life_sign.hpp>

#include <controller/store/random_id.hpp>
#include <manifests/error.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t id_length = 16;

void remove_dead(const std::string& folder) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (is_random_id(name, id_length) && !process_lives(folder, name)) fs::remove(entry.path(), error);
  }
}

}  // namespace

LifeSign::LifeSign(const std::string& folder) : id_(random_id(id_length)) {
  const auto failed = [&folder](const char* doing) {
    throw Error(std::string(doing) + " in \"" + folder + "\": " + std::strerror(errno));
  };
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) failed("cannot make the folder of life signs");
  remove_dead(folder);
  path_ = folder + "/" + id_;
  const std::string unlocked = path_ + ".new";  // under its name it is locked from the beginning
  fd_ = ::open(unlocked.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (fd_ < 0) failed("cannot make a life sign");
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) failed("cannot lock a life sign");
  if (::rename(unlocked.c_str(), path_.c_str()) != 0) failed("cannot put a life sign");
}

LifeSign::~LifeSign() {
  ::unlink(path_.c_str());
  ::close(fd_);
}

bool process_lives(const std::string& folder, const std::string& id) {
  if (!is_random_id(id, id_length)) return false;
  const int fd = ::open((folder + "/" + id).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  // A shared lock: two that look at the same time don't take each other for the process.
  const bool locked = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return locked;
}

bool another_lives(const std::string& folder, const std::string& own) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name != own && process_lives(folder, name)) return true;
  }
  return false;
}

}  // namespace holdfast
