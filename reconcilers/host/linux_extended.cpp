#include <reconcilers/host/linux_extended.hpp>

#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/linux_system.hpp>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace holdfast {

namespace {

constexpr std::size_t largest_value = 64U << 10U;  // the kernel's own limit, also of the list of names
constexpr std::size_t most_bytes = 256U << 10U;
constexpr std::string_view capability = "security.capability";

/// Hashes over the content, which the kernel makes itself.
bool is_derived(const std::string& name) { return name == "security.ima" || name == "security.evm"; }

bool has_none(int error) { return error == ENOTSUP || error == ENODATA; }

ExtendedAttributes all_of(int fd) {
  ExtendedAttributes attributes;
  std::vector<char> names(largest_value);
  const ssize_t size = ::flistxattr(fd, names.data(), names.size());
  std::vector<char> value(largest_value);
  for (ssize_t at = 0; at < size;) {
    const std::string name(names.data() + at);
    at += static_cast<ssize_t>(name.size()) + 1;
    const ssize_t length = is_derived(name) ? -1 : ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    if (length >= 0) attributes[name] = std::string(value.data(), static_cast<std::size_t>(length));
  }
  return attributes;
}

}  // namespace

ExtendedAttributes read_extended(int fd, const std::string& path) {
  ExtendedAttributes attributes = all_of(fd);
  std::size_t bytes = 0;
  for (const auto& [name, value] : attributes) bytes += name.size() + value.size();
  if (bytes <= most_bytes) return attributes;
  throw Error("\"" + path + "\" has " + std::to_string(bytes) + " bytes of extended attributes: expected at most " +
              std::to_string(most_bytes) + ", which can be kept for an undo");
}

void write_extended(int fd, const ExtendedAttributes& attributes, const std::string& path) {
  for (const auto& [name, value] : attributes) {
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) == 0 || has_none(errno)) continue;
    throw_system_error("cannot set the attribute " + name + " of", path, errno, fd);
  }
}

void keep_extended(int old_file, int new_file) {
  for (const auto& [name, value] : all_of(old_file)) {
    if (name != capability) ::fsetxattr(new_file, name.c_str(), value.data(), value.size(), 0);
  }
}

Fd LinuxSystem::open_for_attributes(const std::string& path) const {
  const Place found = place(path);
  const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  return found.folder ? Fd(::openat(found.folder.get(), found.name.c_str(), flags)) : Fd();
}

ExtendedAttributes LinuxSystem::extended(const std::string& path) const {
  const Fd fd = open_for_attributes(path);
  return fd ? read_extended(fd.get(), path) : ExtendedAttributes();
}

void LinuxSystem::set_extended(const std::string& path, const ExtendedAttributes& attributes) {
  if (attributes.empty()) return;
  const Fd fd = open_for_attributes(path);
  if (!fd) throw_system_error("cannot open", path, errno, -1);
  write_extended(fd.get(), attributes, path);
  if (::fsync(fd.get()) != 0) throw_system_error("cannot sync", path, errno, fd.get());
}

}  // namespace holdfast
