#include <reconcilers/host/rehearsal_mounts.hpp>

#include "temporary.hpp"

#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace holdfast;

namespace {

/// What happens in a process with mounts of its own; its exit code: 0 all as it should be there, 77 not possible here.
int in_overlay(const std::string& folder, const std::string& scratch) {
  try {
    enter_overlays({folder, "/no/such/folder"}, scratch);
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

}  // namespace

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
