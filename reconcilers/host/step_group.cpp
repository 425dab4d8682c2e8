#include <reconcilers/host/step_group.hpp>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

namespace holdfast {

namespace {

constexpr std::string_view step_prefix = "step-";
constexpr std::string_view control_part = "/.control";  // where systemd starts ExecStopPost of a unit that may divide
constexpr std::chrono::milliseconds until_empty{2'000};
constexpr std::chrono::milliseconds look_again{2};

/// Where version 2 is mounted, alone or beside version 1; "" where it isn't.
std::string mount_point() {
  for (const char* path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    struct statfs found {};
    if (::statfs(path, &found) == 0 && found.f_type == CGROUP2_SUPER_MAGIC) return path;
  }
  return {};
}

/// The group that this process is in, as a path below the mount point; "" where that can't be told.
std::string own_group() {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {
    if (line.starts_with("0::/") && line.find("/..") == std::string::npos) return line.substr(3);
  }
  return {};
}

bool is_delegated(const std::string& folder) {
  std::array<char, 8> value{};
  for (const char* mark : {"trusted.delegate", "user.delegate"}) {
    if (::getxattr(folder.c_str(), mark, value.data(), value.size()) == 1 && value[0] == '1') return true;
  }
  return false;
}

/// Where we may make groups; "" where nowhere.
std::string divisible_folder() {
  const std::string mount = mount_point();
  const std::string group = own_group();
  if (mount.empty() || group.empty()) return {};
  const std::string folder = mount + group;
  const bool controls = folder.ends_with(control_part);
  const std::string unit = controls ? folder.substr(0, folder.size() - control_part.size()) : folder;
  return is_delegated(unit) ? folder : std::string();
}

/// Before Linux 5.14 there is no cgroup.kill: what is forked meanwhile is met in the next round.
void kill_each(const std::string& folder) {
  std::ifstream members(folder + "/cgroup.procs");
  pid_t member = 0;
  while (members >> member) {
    if (member > 0) ::kill(member, SIGKILL);
  }
}

void kill_all(const std::string& folder) {
  const Fd fd(::open((folder + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), "1", 1) != 1) kill_each(folder);
}

/// A group can be removed once nobody is in it, not even a zombie that is yet to be reaped.
void kill_and_remove(const std::string& folder) {
  const auto end = std::chrono::steady_clock::now() + until_empty;
  while (::rmdir(folder.c_str()) != 0 && errno == EBUSY && std::chrono::steady_clock::now() < end) {
    kill_all(folder);
    std::this_thread::sleep_for(look_again);
  }
}

}  // namespace

StepGroup::StepGroup() {
  static std::atomic<unsigned> count{0};
  const std::string parent = divisible_folder();
  if (parent.empty()) return;
  folder_ = parent + "/" + std::string(step_prefix) + std::to_string(::getpid()) + "-" + std::to_string(++count);
  if (::mkdir(folder_.c_str(), 0755) != 0) return;
  entry_ = Fd(::open((folder_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  if (!entry_) ::rmdir(folder_.c_str());
}

StepGroup::~StepGroup() {
  if (entry_) kill_and_remove(folder_);
}

void StepGroup::kill() const {
  if (entry_) kill_all(folder_);
}

void end_steps_of(const std::string& unit) {
  const std::string mount = mount_point();
  if (mount.empty()) return;
  for (const std::string& folder : {mount + "/system.slice/" + unit, mount + "/system.slice/" + unit + "/.control"}) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      if (entry.path().filename().string().starts_with(step_prefix)) kill_and_remove(entry.path().string());
    }
  }
}

}  // namespace holdfast
