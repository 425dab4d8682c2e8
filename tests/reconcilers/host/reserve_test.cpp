#include "runner.hpp"
#include "temporary.hpp"

#include <catch2/catch.hpp>

#include <sys/mount.h>
#include <unistd.h>

#include <set>

using namespace holdfast;

namespace {

/// A host with a small file system of its own at /small.
struct SmallDisk {
  SmallDisk() : host(prepared(folder)), runner(folder.path()) {
    usable = ::geteuid() == 0 && ::mount("small", (folder / "small").c_str(), "tmpfs", 0, "size=512k") == 0;
    if (!usable) WARN("nothing can be mounted here: not looked at");
  }
  ~SmallDisk() {
    if (usable) ::umount2((folder / "small").c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  static std::string prepared(const TemporaryFolder& folder) {
    for (const char* name : {"small", "etc", "var/lib"}) std::filesystem::create_directories(folder / name);
    return folder.path();
  }
  /// Somebody else writes until nothing fits any more.
  void fill() const {
    std::ofstream file(folder / "small/fill", std::ios::binary);
    while (file << std::string(4096, 'f') << std::flush) {
    }
  }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "small"))
      found.insert(entry.path().filename().string());
    return found;
  }

  TemporaryFolder folder;
  Host host;
  Runner runner;
  bool usable = false;
};

}  // namespace

TEST_CASE("an undo has the space that it needs, also when the disk got full meanwhile", "[transaction][reserve]") {
  SmallDisk disk;
  if (!disk.usable) return;
  const std::string old(100'000, 'o');
  write_file(disk.folder / "small/changed", old);
  write_file(disk.folder / "small/removed", old);
  disk.host.file("/small/changed", "new\n").absent("file:/small/removed").file("/etc/a", "a\n");
  REQUIRE(disk.host.apply(disk.runner).at("state") == Value("pending"));
  disk.fill();
  REQUIRE(disk.host.rollback(disk.runner).at("state") == Value("rolled_back"));
  CHECK(read_file(disk.folder / "small/changed") == old);
  CHECK(read_file(disk.folder / "small/removed") == old);
  CHECK(disk.names() == std::set<std::string>{"changed", "fill", "removed"});
}

TEST_CASE("without room for an undo nothing is begun, and the mount is named", "[transaction][reserve]") {
  SmallDisk disk;
  if (!disk.usable) return;
  const std::string old(100'000, 'o');
  write_file(disk.folder / "small/changed", old);
  disk.fill();
  disk.host.file("/etc/a", "a\n").file("/small/changed", "new\n");
  const Value reply = disk.host.apply(disk.runner);
  CHECK(reply.at("state") == Value("refused"));
  CHECK(reply.at("failure").at("id") == Value("file:/small/changed"));
  const std::string& what = reply.at("failure").at("what").as_text();
  CHECK(what.find(disk.folder / "small") != std::string::npos);
  CHECK(what.find("bytes too few") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(disk.folder / "etc/a"));
  CHECK(disk.names() == std::set<std::string>{"changed", "fill"});
  std::filesystem::remove(disk.folder / "small/fill");
  disk.host.converge(disk.runner);
  CHECK(disk.names() == std::set<std::string>{"changed"});
}
