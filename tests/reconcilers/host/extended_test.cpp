#include "runner.hpp"
#include "temporary.hpp"

#include <reconcilers/host/transaction_record.hpp>

#include <catch2/catch.hpp>

#include <sys/xattr.h>
#include <unistd.h>

#include <array>

using namespace holdfast;

namespace {

const std::string capability(  // cap_net_bind_service=ep
    "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
const std::string access_list(  // u::rw- u:1001:r-- g::r-- m::r-- o::---
    "\x02\x00\x00\x00\x01\x00\x06\x00\xff\xff\xff\xff\x02\x00\x04\x00\xe9\x03\x00\x00\x04\x00\x04\x00\xff\xff\xff\xff"
    "\x10\x00\x04\x00\xff\xff\xff\xff\x20\x00\x00\x00\xff\xff\xff\xff",
    44);

bool set(const std::string& path, const char* name, const std::string& value) {
  return ::setxattr(path.c_str(), name, value.data(), value.size(), 0) == 0;
}

std::string get(const std::string& path, const char* name) {
  std::array<char, 256> value{};
  const ssize_t size = ::getxattr(path.c_str(), name, value.data(), value.size());
  return size < 0 ? "none" : std::string(value.data(), static_cast<std::size_t>(size));
}

/// A host on a file system that knows all of these attributes, with a file and a folder that have them.
struct Labelled {
  Labelled() : host(prepared(folder)), runner(folder.path()) {
    for (const char* file : {"etc/changed", "etc/removed", "etc/owned"}) {
      write_file(folder / file, "old\n");
      usable = usable && set(folder / file, "user.note", "kept") &&
               set(folder / file, "system.posix_acl_access", access_list) &&
               set(folder / file, "security.capability", capability);
    }
    usable = usable && set(folder / "etc/folder", "user.note", "folder");
    if (!usable) WARN("the file system of " << folder.path() << " or this user has not all attributes: not looked at");
  }

  static std::string prepared(const TemporaryFolder& folder) {
    for (const char* name : {"etc/folder", "var/lib"}) std::filesystem::create_directories(folder / name);
    return folder.path();
  }

  void check_as_before() const {
    for (const char* file : {"etc/changed", "etc/removed", "etc/owned"}) {
      INFO(file);
      CHECK(read_file(folder / file) == "old\n");
      CHECK(get(folder / file, "user.note") == "kept");
      CHECK(get(folder / file, "system.posix_acl_access") == access_list);
      CHECK(get(folder / file, "security.capability") == capability);
    }
    CHECK(get(folder / "etc/folder", "user.note") == "folder");
  }

  TemporaryFolder folder;
  Host host;
  Runner runner;
  bool usable = ::geteuid() == 0;
};

}  // namespace

TEST_CASE("an undo gives extended attributes and access control lists back", "[transaction][extended]") {
  Labelled one;
  if (!one.usable) return;
  one.host.file("/etc/changed", "new\n", 0640).file("/etc/owned", "old\n", 0600);
  one.host.absent("file:/etc/removed").absent("directory:/etc/folder");
  REQUIRE(one.host.apply(one.runner).at("state") == Value("pending"));
  CHECK(get(one.folder / "etc/changed", "user.note") == "kept");  // also the new version has what the old one had,
  CHECK(get(one.folder / "etc/changed", "security.capability") == "none");  // but what was given to its content
  CHECK_FALSE(std::filesystem::exists(one.folder / "etc/removed"));
  REQUIRE(one.host.rollback(one.runner).at("state") == Value("rolled_back"));
  one.check_as_before();
}

TEST_CASE("attributes are in the journal before the first effect", "[transaction][extended]") {
  Labelled one;
  if (!one.usable) return;
  one.host.absent("file:/etc/removed");
  REQUIRE(one.host.apply(one.runner).at("state") == Value("pending"));
  const State state(one.host.root);
  std::vector<std::string> kinds;
  for (const Value& record : read_journal(state.transaction_path(one.host.transaction, "journal")))
    kinds.push_back(record.text_or("record", ""));
  const auto first = [&](const char* kind) { return std::ranges::find(kinds, kind) - kinds.begin(); };
  CHECK(first("extended") < first("plan"));
  CHECK(first("plan") < first("intent"));
  CHECK(one.host.rollback(one.runner).at("state") == Value("rolled_back"));
  one.check_as_before();
}
