#include <reconcilers/host/linux_paths.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <vector>

namespace holdfast {

namespace {

constexpr int max_links = 40;  // as the kernel's own limit

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin < path.size()) {
    std::size_t end = path.find('/', begin);
    if (end == std::string_view::npos) end = path.size();
    if (end > begin) parts.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

void require_normal(const std::string& path, const std::vector<std::string>& parts) {
  std::string joined;
  for (const std::string& part : parts) {
    if (part == "." || part == ".." || part.size() > NAME_MAX) throw Error("path \"" + path + "\" is not normalised");
    joined += "/" + part;
  }
  if (path != (joined.empty() ? "/" : joined) || path.find('\0') != std::string::npos) {
    throw Error("expected an absolute, normalised path, found \"" + path + "\"");
  }
}

bool ours(const struct stat& status) { return status.st_uid == 0 || status.st_uid == ::geteuid(); }

/// Whether nobody but us and root could have put this link here.
bool trusted_link(const struct stat& folder, const struct stat& link) {
  const bool others_write = (folder.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool sticky = (folder.st_mode & S_ISVTX) != 0;
  return ours(link) && ours(folder) && (!others_write || sticky);
}

struct stat status_of(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw_system_error("cannot look at", path, errno, -1);
  return status;
}

std::string link_text(int fd, const std::string& path) {
  std::array<char, PATH_MAX> text{};
  const ssize_t size = ::readlinkat(fd, "", text.data(), text.size());
  if (size < 0) throw_system_error("cannot read the link in", path, errno, fd);
  return {text.data(), static_cast<std::size_t>(size)};
}

/// One directory after the other, following the links that can be trusted. Empty where something is missing.
class Walk {
 public:
  Walk(const Fd& root, const std::string& path) : root_(root), path_(path) {}

  Fd to(std::vector<std::string> parts) {
    todo_.assign(parts.rbegin(), parts.rend());
    while (!todo_.empty()) {
      const std::string part = std::move(todo_.back());
      todo_.pop_back();
      if (part == ".") continue;
      if (part == "..") {
        if (!below_.empty()) below_.pop_back();
        continue;
      }
      if (!enter(part)) return Fd();
    }
    return Fd(::fcntl(here(), F_DUPFD_CLOEXEC, 3));
  }

 private:
  [[nodiscard]] int here() const { return below_.empty() ? root_.get() : below_.back().get(); }

  bool enter(const std::string& part) {
    Fd next(::openat(here(), part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next) {
      if (errno == ENOENT || errno == ENOTDIR) return false;
      throw_system_error("cannot open a folder of", path_, errno, here());
    }
    const struct stat status = status_of(next.get(), path_);
    if (S_ISLNK(status.st_mode)) {
      follow(next, status, part);
      return true;
    }
    if (!S_ISDIR(status.st_mode)) return false;
    below_.push_back(std::move(next));
    return true;
  }

  void follow(const Fd& link, const struct stat& status, const std::string& part) {
    if (++links_ > max_links) throw Error("too many symbolic links in \"" + path_ + "\"");
    if (!trusted_link(status_of(here(), path_), status)) {
      throw Error(
          "the folder \"" + part + "\" of \"" + path_ +
          "\" is a symbolic link that another user could have planted; make it a folder, or give the real path");
    }
    const std::string target = link_text(link.get(), path_);
    if (target.empty()) throw Error("the symbolic link \"" + part + "\" of \"" + path_ + "\" is empty");
    if (target.front() == '/') below_.clear();
    const std::vector<std::string> parts = components(target);
    todo_.insert(todo_.end(), parts.rbegin(), parts.rend());
  }

  const Fd& root_;
  const std::string& path_;
  std::vector<Fd> below_;
  std::vector<std::string> todo_;
  int links_ = 0;
};

/// The whole way in one system call, where no component is a link. -1 with errno otherwise.
int open_directly(const Fd& root, const std::string& relative) {
  struct open_how how {};
  how.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, root.get(), relative.c_str(), &how, sizeof how));
}

}  // namespace

Place find_place(const Fd& root, const std::string& path) {
  std::vector<std::string> parts = components(path);
  require_normal(path, parts);
  Place place;
  if (parts.empty()) {
    place.name = ".";
    place.folder = Fd(::fcntl(root.get(), F_DUPFD_CLOEXEC, 3));
    return place;
  }
  place.name = std::move(parts.back());
  parts.pop_back();
  const std::string relative = parts.empty() ? "." : parent_of(path).substr(1);
  const int direct = open_directly(root, relative);
  if (direct >= 0) {
    place.folder = Fd(direct);
  } else if (errno != ENOENT) {
    // A link in the way, a path too long for one call, or a kernel (or a seccomp filter) without openat2.
    place.folder = Walk(root, path).to(std::move(parts));
  }
  return place;
}

Fd open_folder(const Fd& folder, const std::string& shown) {
  Fd opened(::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) throw_system_error("cannot open the folder of", shown, errno, folder.get());
  return opened;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string temporary_name(const std::string& name) { return ".holdfast-" + sha256(name).substr(0, 12); }

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace holdfast
