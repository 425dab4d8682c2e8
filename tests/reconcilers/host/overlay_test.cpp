#include <reconcilers/host/rehearsal_mounts.hpp>

#include "temporary.hpp"

#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

using namespace holdfast;

namespace {

/// What happens in a process with mounts of its own; its exit code: 0 all as it should be there, 77 not possible here.
int in_overlay(const std::string& folder, const std::string& scratch) {
  try {
    enter_overlays({folder, "/no/such/folder"}, {folder + "/file"}, scratch);
  } catch (const Error&) {
    return 77;
  }
  if (read_file(folder + "/file") != "old\n") return 1;
  write_file(folder + "/file", "new\n");
  write_file(folder + "/sub/more", "x\n");
  std::filesystem::remove(folder + "/gone");
  if (read_file(folder + "/file") != "new\n" || std::filesystem::exists(folder + "/gone")) return 2;
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0 || (status.st_mode & 07777U) != 0751) return 3;
  return 0;
}

/// The same with a file system mounted on the way, and a link that leads out of the overlays.
int in_overlay_with_disk(const std::string& folder, const std::string& scratch) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", (folder + "/disk").c_str(), "tmpfs", 0, nullptr) != 0) {
    return 77;
  }
  write_file(folder + "/disk/file", "old\n");
  const int live = ::open((folder + "/disk/file").c_str(), O_RDONLY);
  const int outside = ::open((folder + "/out").c_str(), O_RDONLY | O_DIRECTORY);  // not as the rehearsal sees it
  std::vector<ReadOnly> closed;
  try {
    closed = enter_overlays({folder}, {folder + "/disk/file"}, scratch);
  } catch (const Error&) {
    return 77;
  }
  write_file(folder + "/disk/file", "new\n");
  std::array<char, 8> bytes{};
  if (::pread(live, bytes.data(), bytes.size(), 0) != 4 || std::string(bytes.data()) != "old\n") return 1;
  if (read_file(folder + "/disk/file") != "new\n") return 2;
  const std::string beside = folder + "/out/file";
  if (::open(beside.c_str(), O_WRONLY | O_CREAT, 0600) >= 0 || errno != EROFS) return 3;
  let_be_written(closed);
  if (::open(beside.c_str(), O_WRONLY | O_CREAT, 0600) < 0) return 4;
  return ::faccessat(outside, "file", F_OK, 0) == 0 ? 0 : 5;
}

}  // namespace

TEST_CASE("a rehearsal writes neither to a file system on the way nor where a link leads to", "[rehearsal]") {
  if (::geteuid() != 0) {
    WARN("skipped: needs root");
    return;
  }
  const TemporaryFolder folder;
  for (const char* name : {"etc/disk", "scratch", "elsewhere"}) std::filesystem::create_directories(folder / name);
  std::filesystem::create_symlink(folder / "elsewhere", folder / "etc/out");
  const pid_t child = ::fork();
  if (child == 0) ::_exit(in_overlay_with_disk(folder / "etc", folder / "scratch"));
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) {
    WARN("skipped: the kernel gives no mounts here");
    return;
  }
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("what is changed in a rehearsal is seen there and nowhere else", "[rehearsal]") {
  if (::geteuid() != 0) {
    WARN("skipped: needs root");
    return;
  }
  const TemporaryFolder folder;
  const std::string etc = folder / "etc";
  write_file(etc + "/file", "old\n");
  write_file(etc + "/gone", "here\n");
  ::chmod(etc.c_str(), 0751);
  std::filesystem::create_directories(folder / "scratch");
  const pid_t child = ::fork();
  if (child == 0) ::_exit(in_overlay(etc, folder / "scratch"));
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) {
    WARN("skipped: the kernel gives no mounts here");
    return;
  }
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(read_file(etc + "/file") == "old\n");
  CHECK(read_file(etc + "/gone") == "here\n");
  CHECK_FALSE(std::filesystem::exists(etc + "/sub"));
  CHECK(std::filesystem::is_empty(folder / "scratch"));
}
