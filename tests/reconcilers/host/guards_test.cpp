#include <reconcilers/host/guards.hpp>

#include "temporary.hpp"

#include <catch2/catch.hpp>

#include <linux/fs.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

using namespace holdfast;

namespace {

const Attributes absent{{"present", false}};
const Attributes there{{"present", true}, {"content", std::string(64, 'a')}};

Wanted wanted(const std::string& id, const std::string& resource, Attributes attributes = {{"present", true}}) {
  return {.id = primitive_id(id), .attributes = std::move(attributes), .origin = {.resource = resource}};
}

struct Planned {
  PreparedPlan prepared{};
  Bundle bundle{};
  Inventory inventory{};

  Planned() { bundle.environment = "production"; }
  Planned& change(const std::string& id, const Attributes& from, const Attributes& to, ActionKind kind = ActionKind::change,
                  const std::string& resource = "File/a") {
    prepared.plan.actions.push_back(
        {.kind = kind, .id = primitive_id(id), .from = from, .to = to, .origin = {.resource = resource}});
    return *this;
  }
  /// `count` files that the host manages, of which the first `gone` are wanted no more.
  Planned& files(int count, int gone) {
    for (int i = 0; i < count; ++i) {
      const std::string id = "file:/etc/f" + std::to_string(i);
      const std::string resource = "File/f" + std::to_string(i);
      const Wanted one = wanted(id, resource);
      inventory[one.id] = {.created = true, .wanted = one};
      if (i < gone) {
        change(id, there, absent, ActionKind::prune, resource);
      } else {
        bundle.wanted.push_back(one);
      }
    }
    return *this;
  }
  std::vector<Refusal> refusals(const System& system, Pruning pruning = Pruning::guarded,
                                const std::set<std::string>& remembered = {}) {
    prepared.plan.refusals.clear();
    guard(system, bundle, inventory, remembered, pruning, prepared);
    return prepared.plan.refusals;
  }
};

struct Machine {
  Machine() {
    for (const char* name : {"etc/systemd/system", "srv/data", "var"}) std::filesystem::create_directories(folder / name);
    write_file(folder / "etc/motd", "old\n");
    system = make_linux_system(folder.path());
  }
  TemporaryFolder folder;
  std::unique_ptr<System> system;
};

std::string what(const std::vector<Refusal>& refusals) {
  return refusals.size() == 1 ? refusals.front().what : std::to_string(refusals.size()) + " refusals";
}

bool set_flags(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  const bool done = fd >= 0 && ::ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
  ::close(fd);
  return done;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("one resource, or a few of many, may always go", "[guards]") {
  const Machine machine;
  CHECK(Planned().files(1, 0).refusals(*machine.system).empty());
  CHECK(Planned().files(2, 1).refusals(*machine.system).empty());
  CHECK(Planned().files(10, 2).refusals(*machine.system).empty());
  CHECK(Planned().files(100, 10).refusals(*machine.system).empty());
}

TEST_CASE("more than a fifth or more than ten resources go only when somebody says so", "[guards]") {
  const Machine machine;
  for (const auto& [count, gone] : {std::pair(10, 3), std::pair(100, 11), std::pair(9, 2)}) {
    INFO(gone << " of " << count);
    const std::vector<Refusal> refusals = Planned().files(count, gone).refusals(*machine.system);
    REQUIRE(refusals.size() == 1);
    CHECK(contains(refusals.front().what, std::to_string(gone) + " of " + std::to_string(count) + " resources would be removed"));
    CHECK(contains(refusals.front().hint, "holdfast apply production --allow-prune"));
    CHECK(Planned().files(count, gone).refusals(*machine.system, Pruning::allowed).empty());
  }
}

TEST_CASE("nothing is removed where nothing is wanted any more", "[guards]") {
  const Machine machine;
  CHECK(contains(what(Planned().files(1, 1).refusals(*machine.system)), "nothing at all is wanted"));
  CHECK(Planned().files(1, 1).refusals(*machine.system, Pruning::allowed).empty());
}

TEST_CASE("paths of a resource that stays do not count as removed", "[guards]") {
  const Machine machine;
  Planned planned;
  planned.files(4, 0);
  for (int i = 0; i < 30; ++i)
    planned.change("file:/etc/old" + std::to_string(i), there, absent, ActionKind::prune, "File/f0");
  CHECK(planned.refusals(*machine.system).empty());
}

TEST_CASE("the word for pruning is part of the plan's digest", "[guards]") {
  Plan plan;
  seal(plan, std::string(64, 'b'));
  const std::string guarded = plan.digest;
  seal(plan, std::string(64, 'b'), Pruning::allowed);
  CHECK(plan.digest != guarded);
}

TEST_CASE("what is immutable is not changed, and what lies in an immutable folder neither made nor removed", "[guards]") {
  const Machine machine;
  write_file(machine.folder / "srv/data/f", "x");
  const auto refused = [&](const std::string& id, const Attributes& from, const Attributes& to) {
    return what(Planned().change(id, from, to).refusals(*machine.system));
  };
  CHECK(refused("file:/etc/motd", there, {{"present", true}, {"content", "new"}}) == "0 refusals");
  if (!set_flags(machine.folder / "etc/motd", FS_IMMUTABLE_FL) || !set_flags(machine.folder / "srv/data", FS_APPEND_FL)) {
    WARN("nothing can be made immutable here: not looked at");
    return;
  }
  CHECK(contains(refused("file:/etc/motd", there, {{"present", true}, {"content", "new"}}), "it is immutable"));
  CHECK(contains(refused("file:/etc/motd", there, absent), "it is immutable"));
  CHECK(contains(refused("file:/srv/data/f", there, absent), "its folder is append-only"));
  CHECK(contains(refused("directory:/srv/data/new", absent, {{"present", true}}), "its folder is append-only"));
  CHECK(contains(refused("directory:/srv/data", there, {{"present", true}, {"mode", 0700}}), "it is append-only"));
  CHECK(refused("file:/srv/f", absent, there) == "0 refusals");
  set_flags(machine.folder / "etc/motd", 0);
  set_flags(machine.folder / "srv/data", 0);
}

TEST_CASE("what is mounted over, read-only, or below something that is not mounted, is not changed", "[guards]") {
  const Machine machine;
  const auto refused = [&](const std::string& id, const std::set<std::string>& remembered = {}) {
    return what(Planned().change(id, absent, there).refusals(*machine.system, Pruning::guarded, remembered));
  };
  write_file(machine.folder / "etc/fstab", "# a comment\nLABEL=x /srv/data ext4 defaults 0 2\n/dev/y /srv/with\\040space ext4\n");
  CHECK(contains(refused("file:/srv/data/f"), "lies below \"/srv/data\", where nothing is mounted now"));
  CHECK(refused("file:/srv/f") == "0 refusals");
  std::filesystem::create_directories(machine.folder / "srv/with space");
  CHECK(contains(refused("file:/srv/with space/f"), "lies below \"/srv/with space\""));
  std::filesystem::create_directories(machine.folder / "srv/unit");
  CHECK(refused("file:/srv/unit/f") == "0 refusals");
  CHECK(contains(refused("file:/srv/unit/f", {"/srv/unit"}), "lies below \"/srv/unit\""));
  write_file(machine.folder / "etc/systemd/system/srv-unit.mount", "[Mount]\nWhat=/dev/x\nWhere=/srv/unit\n");
  CHECK(contains(refused("file:/srv/unit/f"), "lies below \"/srv/unit\""));
  const std::string data = machine.folder / "srv/data";
  if (::geteuid() != 0 || ::mount("data", data.c_str(), "tmpfs", 0, "size=64k") != 0) {
    WARN("nothing can be mounted here: not looked at");
    return;
  }
  CHECK(refused("file:/srv/data/f") == "0 refusals");
  ::mount("data", data.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=64k");
  CHECK(contains(refused("file:/srv/data/f"), "is read-only"));
  ::umount2(data.c_str(), MNT_DETACH);
  const std::string motd = machine.folder / "etc/motd";
  REQUIRE(::mount(motd.c_str(), motd.c_str(), "", MS_BIND, nullptr) == 0);
  CHECK(contains(refused("file:/etc/motd"), "something is mounted on it"));
  ::umount2(motd.c_str(), MNT_DETACH);
}

TEST_CASE("a file whose folder nobody makes is refused", "[guards]") {
  const Machine machine;
  Planned planned;
  planned.change("file:/srv/new/f", absent, there);
  CHECK(contains(what(planned.refusals(*machine.system)), "the folder \"/srv/new\" does not exist, and no manifest makes it"));
  planned.bundle.wanted.push_back(wanted("directory:/srv/new", "Directory/new"));
  CHECK(planned.refusals(*machine.system).empty());
  planned.bundle.wanted.clear();
  planned.change("package:nginx", absent, there);
  CHECK(planned.refusals(*machine.system).empty());
}

TEST_CASE("mounts that managed paths lie below are known, others not", "[guards]") {
  const Machine machine;
  const std::string data = machine.folder / "srv/data";
  if (::geteuid() != 0 || ::mount("data", data.c_str(), "tmpfs", 0, "size=64k") != 0) {
    WARN("nothing can be mounted here: not looked at");
    return;
  }
  const Wanted one = wanted("file:/srv/data/f", "File/f");
  CHECK(mounts_of(*machine.system, {}).empty());
  CHECK(mounts_of(*machine.system, {{one.id, {.created = true, .wanted = one}}}) == std::set<std::string>{"/srv/data"});
  ::umount2(data.c_str(), MNT_DETACH);
}
