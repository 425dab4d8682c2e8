#include "machine.hpp"

#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

namespace holdfast {

using Catch::Matchers::Contains;

TEST_CASE("a trusted link in a parent is followed below the root, also an absolute one") {
  TestMachine machine;
  machine.folder("/run");
  machine.link("/var/run", "/run");
  machine.folder("/usr");
  machine.folder("/usr/lib");
  machine.link("/lib", "usr/lib");
  machine.system->write("/var/run/a", "one", {});
  machine.system->write("/lib/b", "two", {});
  CHECK(machine.read("/run/a") == "one");
  CHECK(machine.read("/usr/lib/b") == "two");
  CHECK(machine.system->read("/var/run/a", 10) == "one");
}

TEST_CASE("a link that a user could have planted in a parent is refused") {
  TestMachine machine;
  if (!runs_as_root()) return;
  machine.folder("/srv/home", 0755, 1001, 1001);
  machine.link("/srv/home/conf", "/etc");
  CHECK_THROWS_WITH(machine.system->write("/srv/home/conf/passwd", "x", {}), Contains("could have planted"));
  CHECK_THROWS_WITH(machine.system->stat("/srv/home/conf/passwd"), Contains("could have planted"));
  machine.folder("/srv/shared", 0777);
  machine.link("/srv/shared/conf", "/etc");
  CHECK_THROWS_WITH(machine.system->remove_file("/srv/shared/conf/passwd"), Contains("could have planted"));
  CHECK(machine.system->stat("/etc/passwd").has_value());
}

TEST_CASE("a link in the last component is never followed") {
  TestMachine machine;
  machine.write("/srv/target", "kept");
  machine.link("/srv/l", "target");
  CHECK_FALSE(machine.system->read("/srv/l", 10).has_value());
  machine.system->write("/srv/l", "new", {});
  CHECK(machine.read("/srv/target") == "kept");
  CHECK(machine.system->stat("/srv/l")->type == FileType::regular);
}

TEST_CASE("a link that climbs out of the root stays below it") {
  TestMachine machine;
  machine.link("/srv/up", "../../../../../../etc");
  CHECK(machine.system->read("/srv/up/passwd", 1000) == machine.read("/etc/passwd"));
  machine.link("/srv/loop", "loop");
  CHECK_THROWS_WITH(machine.system->stat("/srv/loop/x"), Contains("too many symbolic links"));
}

TEST_CASE("a path that is not absolute and normalised is refused") {
  TestMachine machine;
  for (const char* path : {"etc/passwd", "/etc/../etc/passwd", "/etc//passwd", "/etc/./passwd", "/etc/", ""}) {
    CHECK_THROWS_AS(machine.system->stat(path), Error);
  }
  CHECK(machine.system->stat("/")->type == FileType::directory);
}

TEST_CASE("what is absent is a value") {
  TestMachine machine;
  CHECK_FALSE(machine.system->stat("/no/such").has_value());
  CHECK_FALSE(machine.system->stat("/etc/passwd/below").has_value());
  CHECK_FALSE(machine.system->read("/etc", 10).has_value());
  CHECK_FALSE(machine.system->digest("/no").has_value());
  CHECK_FALSE(machine.system->read_link("/etc/passwd").has_value());
  CHECK(machine.system->list("/no").empty());
  machine.system->remove_file("/no/such");
  CHECK(machine.system->remove_directory("/no/such"));
  machine.system->remove_tree("/no/such");
}

TEST_CASE("a write keeps the extended attributes of what it replaces and leaves nothing else behind") {
  TestMachine machine;
  machine.write("/srv/f", "old");
  const bool can = ::setxattr(machine.real("/srv/f").c_str(), "user.note", "x", 1, 0) == 0;
  machine.system->write("/srv/f", "new", {.mode = 04711});
  CHECK(machine.read("/srv/f") == "new");
  CHECK(machine.system->stat("/srv/f")->mode == 04711);
  char value = 0;
  if (can) CHECK(::getxattr(machine.real("/srv/f").c_str(), "user.note", &value, 1) == 1);
  CHECK(machine.system->list("/srv") == std::vector<std::string>{"f"});
}

TEST_CASE("a write replaces what a killed one left behind") {
  TestMachine machine;
  machine.system->write("/srv/f", "x", {});
  machine.write("/srv/.holdfast-" + sha256("f").substr(0, 12), "left", 0000);
  machine.system->write("/srv/f", "new", {});
  CHECK(machine.system->list("/srv") == std::vector<std::string>{"f"});
}

TEST_CASE("a failed write says why and where") {
  TestMachine machine;
  CHECK_THROWS_WITH(machine.system->write("/srv/no/f", "x", {}), Contains("the folder \"/srv/no\" does not exist"));
  machine.folder("/srv/d");
  CHECK_THROWS_WITH(machine.system->write("/srv/d", "x", {}), Contains("a directory is in the way"));
  CHECK(machine.system->list("/srv") == std::vector<std::string>{"d"});
  CHECK_THROWS_WITH(machine.system->read("/etc/passwd", 3), Contains("is larger than the 3 bytes"));
}

TEST_CASE("a full file system is named with its mount, and the old file stays") {
  TestMachine machine;
  if (!runs_as_root()) return;
  machine.folder("/srv/small");
  // In a child with mounts of its own: nothing is left mounted, whatever happens.
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string at = machine.real("/srv/small");
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(77);
    if (::mount("tmpfs", at.c_str(), "tmpfs", 0, "size=64k") != 0) ::_exit(77);
    int result = 1;
    try {
      const auto system = make_linux_system(machine.root);  // one that sees the mount
      system->write("/srv/small/f", "old", {});
      system->write("/srv/small/f", std::string(200'000, 'x'), {});
    } catch (const Error& error) {
      const std::string what = error.what();
      const bool named = what.find("\"" + at + "\" is full (ENOSPC)") != what.npos;
      result = named && machine.read("/srv/small/f") == "old" &&
                       make_linux_system(machine.root)->list("/srv/small").size() == 1
                   ? 0
                   : 2;
    }
    ::_exit(result);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) WARN("this machine has no mounts of its own to give: not tested");
  if (WEXITSTATUS(status) != 77) CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("copying gives the same bytes and a file of its own") {
  TestMachine machine;
  const std::string bytes(3'000'000, 'y');
  machine.write("/srv/a", bytes);
  machine.system->copy("/srv/a", "/srv/b", {.mode = 0600});
  CHECK(machine.read("/srv/b") == bytes);
  CHECK(machine.system->stat("/srv/a")->inode != machine.system->stat("/srv/b")->inode);
  CHECK(machine.system->hard_link("/srv/a", "/srv/b"));
  CHECK(machine.system->stat("/srv/a")->inode == machine.system->stat("/srv/b")->inode);
  CHECK(machine.system->hard_link("/srv/a", "/srv/b"));  // a second time: nothing is left behind
  CHECK(machine.system->list("/srv").size() == 2);
}

TEST_CASE("setting an owner keeps set-id bits, and works on links themselves") {
  TestMachine machine;
  if (!runs_as_root()) return;
  machine.write("/srv/f", "x", 04755);
  machine.system->set_owner("/srv/f", 1001, std::nullopt);
  CHECK(machine.system->stat("/srv/f")->mode == 04755);
  CHECK(machine.system->stat("/srv/f")->uid == 1001);
  machine.link("/srv/l", "/etc/passwd");
  machine.system->set_owner("/srv/l", 1002, 1002);
  CHECK(machine.system->stat("/srv/l")->uid == 1002);
  CHECK(machine.system->stat("/etc/passwd")->uid == 0);
  CHECK_THROWS_WITH(machine.system->set_meta("/srv/l", {}), Contains("symbolic link"));
}

TEST_CASE("removing a tree follows no link") {
  TestMachine machine;
  machine.folder("/srv/t");
  machine.folder("/srv/t/d");
  machine.write("/srv/t/d/f", "x");
  machine.link("/srv/t/d/out", "/etc");
  machine.system->remove_tree("/srv/t");
  CHECK_FALSE(machine.system->stat("/srv/t").has_value());
  CHECK(machine.system->stat("/etc/passwd").has_value());
  machine.folder("/srv/full");
  machine.write("/srv/full/f", "x");
  CHECK_FALSE(machine.system->remove_directory("/srv/full"));
}

TEST_CASE("below a prefix units, packages and accounts are not manageable, and it says why") {
  const TestMachine machine;
  const Abilities abilities = machine.system->abilities();
  CHECK_FALSE(abilities.units);
  CHECK_FALSE(abilities.packages);
  CHECK_FALSE(abilities.accounts);
  CHECK(abilities.ownership == runs_as_root());
  CHECK_THAT(abilities.why, Contains("below the prefix " + machine.root));
}

}  // namespace holdfast
