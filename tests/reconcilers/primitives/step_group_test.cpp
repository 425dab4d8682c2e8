#include "machine.hpp"

#include <reconcilers/host/step_group.hpp>

#include <catch2/catch.hpp>

#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

namespace holdfast {

using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

std::string mounted_groups() {
  for (const char* path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    struct statfs found {};
    if (::statfs(path, &found) == 0 && found.f_type == CGROUP2_SUPER_MAGIC) return path;
  }
  return {};
}

/// This process in a control group as systemd gives one to a unit that may divide it, until the end of the test.
class DelegatedGroup {
 public:
  DelegatedGroup() {
    const std::string mount = mounted_groups();
    if (mount.empty()) return;
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
      if (line.starts_with("0::/")) before_ = mount + line.substr(3);
    }
    folder_ = before_ + "/holdfast-test-" + std::to_string(::getpid());
    std::error_code error;
    fs::create_directory(folder_, error);
    usable_ = !error && ::setxattr(folder_.c_str(), "trusted.delegate", "1", 1, 0) == 0 && enter(folder_);
  }
  ~DelegatedGroup() {
    if (usable_) enter(before_);
    ::rmdir(folder_.c_str());
  }
  [[nodiscard]] bool usable() const {
    if (!usable_) WARN("no control group of version 2 can be divided here: not looked at");
    return usable_;
  }
  [[nodiscard]] std::size_t parts() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) count += entry.is_directory() ? 1 : 0;
    return count;
  }

 private:
  static bool enter(const std::string& folder) {
    std::ofstream file(folder + "/cgroup.procs");
    return static_cast<bool>(file << ::getpid() << std::flush);
  }
  std::string before_{};
  std::string folder_{};
  bool usable_ = false;
};

/// Something that leaves its session and its parent, and whose number is in `file` when this goes on.
std::string getaway(const std::string& file) {
  return "setsid -f sh -c 'trap \"\" TERM HUP; echo $$ > " + file + "; exec sleep 600' < /dev/null > /dev/null 2>&1; " +
         "while [ ! -s " + file + " ]; do sleep 0.01; done";
}

bool is_dead(const std::string& file) {
  pid_t pid = 0;
  std::ifstream(file) >> pid;
  REQUIRE(pid > 0);
  for (int i = 0; i < 500; ++i) {
    if (::kill(pid, 0) != 0) return true;
    std::this_thread::sleep_for(10ms);
  }
  ::kill(pid, SIGKILL);
  return false;
}

}  // namespace

TEST_CASE("what forks away from a program ends with it", "[steps]") {
  TestMachine machine;
  const DelegatedGroup group;
  if (!group.usable()) return;
  const std::string file = machine.real("/number");
  const auto system = make_linux_system("/");
  CHECK(system->run({.argv = {"sh", "-c", getaway(file) + "; echo done"}}).out == "done\n");
  CHECK(is_dead(file));
  CHECK(group.parts() == 0);
}

TEST_CASE("at the deadline everything that a program started is dead", "[steps]") {
  TestMachine machine;
  const DelegatedGroup group;
  if (!group.usable()) return;
  const std::string file = machine.real("/number");
  const auto system = make_linux_system("/");
  const auto begun = std::chrono::steady_clock::now();
  const Output output = system->run({.argv = {"sh", "-c", getaway(file) + "; sleep 600"}, .deadline = 500ms});
  CHECK(output.timed_out);
  CHECK(std::chrono::steady_clock::now() - begun < 5s);
  CHECK(is_dead(file));
  CHECK(group.parts() == 0);
}

TEST_CASE("a program's group does not hinder its becoming another user", "[steps]") {
  if (!runs_as_root()) return;
  TestMachine machine;
  const DelegatedGroup group;
  if (!group.usable()) return;
  const Output output = machine.system->run({.argv = {"sh", "-c", "id -u; cat /proc/self/cgroup"}, .user = "alice"});
  CHECK(output.out.starts_with("1001\n"));
  CHECK(output.out.find("/step-") != std::string::npos);
}

TEST_CASE("what a dead runner left running in its unit is ended", "[steps]") {
  const std::string mount = mounted_groups();
  const std::string name = "holdfast-test-" + std::to_string(::getpid()) + ".service";
  const std::string unit = mount + "/system.slice/" + name;
  std::error_code error;
  const bool own_slice = !mount.empty() && fs::create_directory(mount + "/system.slice", error);
  if (!mount.empty()) fs::create_directories(unit + "/step-7-1", error);
  if (mount.empty() || error) {
    WARN("no control group can be made here: not looked at");
    return;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  std::ofstream(unit + "/step-7-1/cgroup.procs") << child << std::flush;
  std::thread reaper([&] { ::waitpid(child, nullptr, 0); });
  end_steps_of(name);
  CHECK_FALSE(fs::exists(unit + "/step-7-1"));
  ::kill(child, SIGKILL);
  reaper.join();
  ::rmdir(unit.c_str());
  if (own_slice) ::rmdir((mount + "/system.slice").c_str());
}

}  // namespace holdfast
