#include <reconcilers/host/linux_system.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>
#include <reconcilers/host/accounts.hpp>
#include <reconcilers/host/bus.hpp>
#include <reconcilers/host/process.hpp>
#include <reconcilers/host/step_group.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>

namespace holdfast {

namespace {

FileType file_type(mode_t mode) {
  if (S_ISREG(mode)) return FileType::regular;
  if (S_ISDIR(mode)) return FileType::directory;
  return S_ISLNK(mode) ? FileType::link : FileType::other;
}

FileStat file_stat(const struct stat& status) {
  return {.type = file_type(status.st_mode),
          .mode = status.st_mode & 07777U,
          .uid = status.st_uid,
          .gid = status.st_gid,
          .size = static_cast<std::uint64_t>(status.st_size),
          .device = status.st_dev,
          .inode = status.st_ino,
          .changed_ns = status.st_ctim.tv_sec * 1'000'000'000LL + status.st_ctim.tv_nsec};
}

bool is_absent(int error) { return error == ENOENT || error == ENOTDIR; }

Fd open_root(const std::string& root) {
  Fd fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw_system_error("cannot open the root prefix", root, errno, -1);
  return fd;
}

std::string without_last_slash(std::string root) {
  while (!root.empty() && root.back() == '/') root.pop_back();
  return root;
}

std::vector<System::UnitProperties> as_texts(const std::vector<UnitBus::Properties>& found) {
  std::vector<System::UnitProperties> units;
  for (const UnitBus::Properties& one : found) {
    System::UnitProperties& unit = units.emplace_back();
    for (const auto& [name, value] : one) unit.emplace(name, to_text(value));
  }
  return units;
}

}  // namespace

LinuxSystem::LinuxSystem(const std::string& root) : prefix_(without_last_slash(root)), root_(open_root(root)) {}

Abilities LinuxSystem::abilities() const {
  Abilities abilities;
  if (!prefix_.empty()) {
    abilities.units = abilities.packages = abilities.accounts = abilities.commands = false;
    abilities.why = "below the prefix " + prefix_;
  } else if (::access("/run/systemd/system", F_OK) != 0) {
    abilities.units = false;
    abilities.why = "systemd does not run this machine";
  }
  if (::geteuid() != 0) {
    abilities.units = abilities.packages = abilities.accounts = abilities.ownership = false;
    abilities.why += (abilities.why.empty() ? "" : ", ") + std::string("not running as root");
  }
  return abilities;
}

std::int64_t LinuxSystem::now_ns() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

Place LinuxSystem::place(const std::string& path) const { return find_place(root_, path); }

Place LinuxSystem::existing_place(std::string_view doing, const std::string& path) const {
  Place found = place(path);
  if (!found.folder)
    throw Error(std::string(doing) + " \"" + path + "\": the folder \"" + parent_of(path) + "\" does not exist");
  return found;
}

std::optional<FileStat> LinuxSystem::stat(const std::string& path) const {
  const Place found = place(path);
  if (!found.folder) return std::nullopt;
  struct stat status {};
  if (::fstatat(found.folder.get(), found.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (is_absent(errno)) return std::nullopt;
    throw_system_error("cannot look at", path, errno, found.folder.get());
  }
  return file_stat(status);
}

/// An open regular file, or nothing where there is none. Never waits for the other end of a FIFO.
Fd LinuxSystem::open_file(const std::string& path) const {
  const Place found = place(path);
  if (!found.folder) return Fd();
  Fd fd(::openat(found.folder.get(), found.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) {
    if (is_absent(errno) || errno == ELOOP || errno == ENXIO) return Fd();
    throw_system_error("cannot open", path, errno, found.folder.get());
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw_system_error("cannot look at", path, errno, fd.get());
  return S_ISREG(status.st_mode) ? std::move(fd) : Fd();
}

bool LinuxSystem::each_piece(const std::string& path, const std::function<void(std::string_view)>& use) const {
  const Fd fd = open_file(path);
  if (!fd) return false;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count == 0) return true;
    if (count > 0) {
      use({buffer.data(), static_cast<std::size_t>(count)});
    } else if (errno != EINTR) {
      throw_system_error("cannot read", path, errno, fd.get());
    }
  }
}

std::optional<std::string> LinuxSystem::read(const std::string& path, std::size_t max_bytes) const {
  std::string bytes;
  const bool there = each_piece(path, [&](std::string_view piece) {
    if (bytes.size() + piece.size() > max_bytes) {
      throw Error("\"" + path + "\" is larger than the " + std::to_string(max_bytes) + " bytes that are read of it");
    }
    bytes.append(piece);
  });
  return there ? std::optional(std::move(bytes)) : std::nullopt;
}

std::optional<std::string> LinuxSystem::digest(const std::string& path) const {
  Sha256 sha;
  if (!each_piece(path, [&](std::string_view piece) { sha.add(piece); })) return std::nullopt;
  return sha.hex();
}

std::optional<std::string> LinuxSystem::read_link(const std::string& path) const {
  const Place found = place(path);
  if (!found.folder) return std::nullopt;
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(found.folder.get(), found.name.c_str(), target.data(), target.size());
  if (size >= 0) return std::string(target.data(), static_cast<std::size_t>(size));
  if (is_absent(errno) || errno == EINVAL) return std::nullopt;
  throw_system_error("cannot read the link", path, errno, found.folder.get());
}

std::vector<std::string> LinuxSystem::list(const std::string& path) const {
  std::vector<std::string> names;
  const Place found = place(path);
  if (!found.folder) return names;
  const int fd = ::openat(found.folder.get(), found.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    if (is_absent(errno) || errno == ELOOP) return names;
    throw_system_error("cannot list", path, errno, found.folder.get());
  }
  DIR* folder = ::fdopendir(fd);
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(folder);
  std::ranges::sort(names);
  return names;
}

std::optional<std::vector<System::UnitProperties>> LinuxSystem::unit_properties(
    const std::vector<std::string>& units, const std::vector<std::string>& wanted) const {
  if (!abilities().units) return std::nullopt;
  try {
    return as_texts(UnitBus().properties(units, wanted));
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool LinuxSystem::start_transient(const TransientUnit& unit) {
  HOLDFAST_FAILPOINT("transient.start");
  try {
    UnitBus().start(unit);
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool LinuxSystem::run_unit_job(UnitJob job, const std::string& unit) {
  HOLDFAST_FAILPOINT("unit.job");
  if (!abilities().units) return false;
  try {
    UnitBus().run_job(job == UnitJob::reload ? "ReloadUnit" : "StopUnit", unit);
    return true;
  } catch (const Error&) {
    return false;
  }
}

Output LinuxSystem::run(const Command& command) {
  HOLDFAST_FAILPOINT("command.start");
  Output output = ask(command);
  HOLDFAST_FAILPOINT("command.done");
  return output;
}

Output LinuxSystem::ask(const Command& command) const {
  Command real = command;
  real.folder = prefix_.empty() ? command.folder : prefix_ + command.folder;
  std::optional<RunAs> as;
  if (!command.user.empty()) {
    const Accounts accounts = read_accounts(*this);
    as = accounts.run_as(command.user);
    if (as->uid == ::geteuid()) as.reset();
    if (as && ::geteuid() != 0) throw Error("cannot run as \"" + command.user + "\": the runner is not root");
  }
  return run_process(real, as);
}

void LinuxSystem::end_steps_of(const std::string& unit) {
  if (abilities().units) holdfast::end_steps_of(unit);
}

std::unique_ptr<System> make_linux_system(const std::string& root) { return std::make_unique<LinuxSystem>(root); }

}  // namespace holdfast
