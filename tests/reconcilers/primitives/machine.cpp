#include "machine.hpp"

#include <manifests/error.hpp>
#include <reconcilers/primitives/place.hpp>
#include <reconcilers/primitives/secrets.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

constexpr const char* passwd =
    "root:x:0:0:root:/root:/bin/bash\nalice:x:1001:1001:Alice,,,:/home/alice:/bin/bash\nbob:x:1002:1002::/home/bob:/"
    "bin/sh\n";
constexpr const char* group = "root:x:0:\nalice:x:1001:\nbob:x:1002:alice\nstaff:x:50:alice,bob\n";

void own(const std::string& path, unsigned uid, unsigned gid) {
  if (runs_as_root() && ::lchown(path.c_str(), uid, gid) != 0) throw Error("cannot chown " + path);
}

std::string describe(const fs::path& path, bool times) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) throw Error("cannot look at " + path.string());
  std::ostringstream text;
  text << std::oct << status.st_mode << std::dec << " " << status.st_uid << ":" << status.st_gid;
  if (S_ISLNK(status.st_mode)) text << " -> " << fs::read_symlink(path).string();
  if (S_ISREG(status.st_mode)) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    text << " " << sha256(bytes);
  }
  if (times) text << " " << status.st_ino << " " << status.st_ctim.tv_sec << "." << status.st_ctim.tv_nsec;
  return text.str();
}

}  // namespace

TestMachine::TestMachine() {
  std::string pattern = (fs::temp_directory_path() / "holdfast-machine-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw Error("cannot make a temporary folder");
  root = pattern;
  fs::permissions(root, fs::perms(0755));
  for (const char* path : {"/etc", "/var", "/var/lib", "/srv", "/opt"}) folder(path);
  write("/etc/passwd", passwd);
  write("/etc/group", group);
  system = make_linux_system(root);
}

TestMachine::~TestMachine() {
  std::error_code ignored;
  fs::remove_all(root, ignored);
}

void TestMachine::write(const std::string& path, const std::string& bytes, unsigned mode, unsigned uid, unsigned gid) {
  std::ofstream(real(path), std::ios::binary | std::ios::trunc) << bytes;
  own(real(path), uid, gid);
  ::chmod(real(path).c_str(), mode);
}

void TestMachine::folder(const std::string& path, unsigned mode, unsigned uid, unsigned gid) {
  fs::create_directory(real(path));
  own(real(path), uid, gid);
  ::chmod(real(path).c_str(), mode);
}

void TestMachine::link(const std::string& path, const std::string& target) { fs::create_symlink(target, real(path)); }

std::string TestMachine::read(const std::string& path) const {
  std::ifstream file(real(path), std::ios::binary);
  return {(std::istreambuf_iterator<char>(file)), {}};
}

std::map<std::string, std::string> TestMachine::snapshot(const std::string& below, bool times) const {
  std::map<std::string, std::string> entries;
  const std::string top = real(below);
  if (!fs::exists(fs::symlink_status(top))) return entries;
  entries[top] = describe(top, times);
  if (!fs::is_directory(fs::symlink_status(top))) return entries;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(top)) {
    entries[entry.path().string()] = describe(entry.path(), times);
  }
  return entries;
}

std::string TestVault::put(const std::string& bytes) {
  const std::string digest = sha256(bytes);
  ensure_folder(*machine_.system, "/var/lib/holdfast/vault");
  machine_.system->write("/var/lib/holdfast/vault/" + digest, bytes, {.mode = 0600});
  return digest;
}

std::string TestVault::path_of(const std::string& digest) const {
  if (!has(digest)) throw Error("the vault has no " + digest);
  return "/var/lib/holdfast/vault/" + digest;
}

bool TestVault::has(const std::string& digest) const {
  return is_sha256(digest) && machine_.system->stat("/var/lib/holdfast/vault/" + digest).has_value();
}

Attributes observe_one(const System& system, const Wanted& wanted) {
  const Wanted* const question = &wanted;
  return primitive_kind(wanted.id.type).observe(system, {&question, 1}).at(0);
}

Attributes goal_of(const System& system, const Vault& vault, const Wanted& wanted, const Attributes& from) {
  const Attributes resolved = resolve_wanted(system, vault, wanted);
  return is_present(resolved) ? overlay(from, resolved) : resolved;
}

Steps steps_of(const Wanted& wanted, const Attributes& from, const Attributes& to) {
  return primitive_kind(wanted.id.type).steps(wanted, from, to);
}

void execute_all(TestMachine& machine, const Vault& vault, const Wanted& wanted, const Steps& steps) {
  Effects effects{*machine.system, vault};
  for (const Step& step : steps.list) primitive_kind(wanted.id.type).execute(effects, step);
}

std::size_t converge(TestMachine& machine, const Vault& vault, const Wanted& wanted) {
  const Attributes from = observe_one(*machine.system, wanted);
  const Steps steps = steps_of(wanted, from, goal_of(*machine.system, vault, wanted, from));
  execute_all(machine, vault, wanted, steps);
  return steps.list.size();
}

bool runs_as_root() { return ::geteuid() == 0; }

}  // namespace holdfast
