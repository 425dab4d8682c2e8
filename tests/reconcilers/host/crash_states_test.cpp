#include "temporary.hpp"
#include "write_log.hpp"

#include <manifests/digest.hpp>
#include <reconcilers/host/journal.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/host/system.hpp>

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <functional>

using namespace holdfast;

namespace {

const std::string old_bytes = "the old content, which is good\n";
const std::string new_bytes = "the new content, which is another\n";
constexpr std::size_t least_states = 1'000;
constexpr std::size_t least_workloads = 12;

std::size_t all_states = 0;
std::size_t all_workloads = 0;

/// A folder with a file, a link and something like a vault, whose writes are looked at.
struct Disk {
  Disk() : system(make_linux_system(folder.path())) {
    for (const char* name : {"etc", "vault"}) std::filesystem::create_directories(folder / name);
    write_file(folder / "etc/f", old_bytes);
    write_file(folder / "vault/new", new_bytes);
    std::filesystem::create_symlink("old", folder / "etc/l");
    ::chmod((folder / "etc/f").c_str(), 0640);
    ::setxattr((folder / "etc/f").c_str(), "user.note", "kept", 4, 0);
  }
  TemporaryFolder folder;
  std::unique_ptr<System> system;
};

/// What may stand at a path. nullopt: nothing.
using May = std::vector<std::optional<Node>>;

const Node old_file{.content = old_bytes, .meta = {.mode = 0640, .note = "kept"}};
const Node new_file{.content = new_bytes, .meta = {.mode = 0600, .note = "kept"}};
const Node born_file{.content = new_bytes, .meta = {.mode = 0600}};

Node link_to(const std::string& target) { return {.type = Node::Type::link, .content = target}; }

bool is_one_of(const May& may, const CrashState& state, const std::string& path) {
  const auto found = state.find(path);
  return std::ranges::any_of(may, [&](const std::optional<Node>& one) {
    return one ? found != state.end() && found->second == *one : found == state.end();
  });
}

std::string told(const CrashState& state) {
  std::string text;
  for (const auto& [path, node] : state)
    text += path + " " + std::to_string(node.meta.mode) + " " + node.meta.note + " \"" + node.content.substr(0, 20) + "\"\n";
  return text;
}

/// Does `work` and builds every state that a crash at any point of it can leave: each must be one of `during`, and after
/// it one of `after`.
void survives(const std::string& path, const May& during, const May& after, const std::function<void(Disk&)>& work) {
  Disk disk;
  begin_log(disk.folder.path());
  work(disk);
  const WriteLog log = end_log();
  REQUIRE(!log.operations.empty());
  ++all_workloads;
  for (std::size_t done = 0; done <= log.operations.size(); ++done) {
    const May& may = done == log.operations.size() ? after : during;
    for (const CrashState& state : crash_states(log, done)) {
      ++all_states;
      if (is_one_of(may, state, path)) continue;
      INFO("after " << done << " of " << log.operations.size() << " operations:\n" << told(state));
      FAIL(path << " is neither old nor new");
    }
  }
}

Expected is_old() { return {.present = true, .content = sha256(old_bytes), .mode = 0640}; }

FileMeta meta(std::optional<Expected> over = {}) { return {.mode = 0600, .uid = 0, .gid = 0, .over = std::move(over)}; }

}  // namespace

TEST_CASE("a crash leaves the old or the new, never something between", "[crash][states]") {
  if (::geteuid() != 0) return;
  const May either = {old_file, new_file};
  const May born = {std::nullopt, born_file};
  const May gone = {old_file, std::nullopt};
  const May links = {link_to("old"), link_to("new")};
  survives("/etc/new", born, {born_file}, [](Disk& disk) { disk.system->write("/etc/new", new_bytes, meta()); });
  survives("/etc/new", born, {born_file}, [](Disk& disk) { disk.system->write("/etc/new", new_bytes, meta(Expected{})); });
  survives("/etc/f", either, {new_file}, [](Disk& disk) { disk.system->write("/etc/f", new_bytes, meta()); });
  survives("/etc/f", either, {new_file}, [](Disk& disk) { disk.system->write("/etc/f", new_bytes, meta(is_old())); });
  survives("/etc/f", either, {new_file}, [](Disk& disk) { disk.system->copy("/vault/new", "/etc/f", meta()); });
  survives("/etc/f", either, {new_file}, [](Disk& disk) { disk.system->copy("/vault/new", "/etc/f", meta(is_old())); });
  survives("/etc/f", gone, {std::nullopt}, [](Disk& disk) { disk.system->remove_file("/etc/f"); });
  survives("/etc/f", gone, {std::nullopt}, [](Disk& disk) { disk.system->remove_expected("/etc/f", is_old()); });
  survives("/etc/l", links, {link_to("new")}, [](Disk& disk) { disk.system->put_link("/etc/l", "new"); });
  survives("/etc/l", links, {link_to("new")}, [](Disk& disk) {
    disk.system->replace_link("/etc/l", "new", {.present = true, .target = "old"});
  });
  survives("/etc/m", {std::nullopt, link_to("new")}, {link_to("new")}, [](Disk& disk) {
    disk.system->replace_link("/etc/m", "new", {});
  });
  const Expected other{.present = true, .content = sha256("other")};
  survives("/etc/f", either, {old_file}, [&](Disk& disk) {
    CHECK_THROWS_AS(disk.system->write("/etc/f", new_bytes, meta(other)), ChangedByOthers);
  });
  survives("/etc/f", gone, {old_file}, [&](Disk& disk) {
    CHECK_THROWS_AS(disk.system->remove_expected("/etc/f", other), ChangedByOthers);
  });
}

TEST_CASE("a crash leaves the undo of a change whole as well", "[crash][states]") {
  if (::geteuid() != 0) return;
  const Node back{.content = old_bytes, .meta = {.mode = 0640, .note = "given back"}};
  const May either = {old_file, back};
  survives("/etc/f", either, {back}, [](Disk& disk) {
    FileMeta given = meta(is_old());
    given.mode = 0640;
    given.extended = {{"user.note", "given back"}};
    disk.system->write("/etc/f", old_bytes, given);
  });
  survives("/etc/back", {std::nullopt, back}, {back}, [](Disk& disk) {
    FileMeta given = meta(Expected{});
    given.mode = 0640;
    given.extended = {{"user.note", "given back"}};
    disk.system->write("/etc/back", old_bytes, given);
  });
}

TEST_CASE("a crash leaves what holdfast remembers old or new", "[crash][states]") {
  if (::geteuid() != 0) return;
  const Node mine{.content = new_bytes, .meta = {.mode = 0600}};
  Node before = old_file;
  Node after = mine;
  survives("/etc/state", {std::nullopt, mine}, {mine}, [](Disk& disk) { write_state_file(disk.folder / "etc/state", new_bytes); });
  survives("/etc/f", {before, after}, {after}, [](Disk& disk) { write_state_file(disk.folder / "etc/f", new_bytes); });
  survives("/etc/moved", {std::nullopt, old_file}, {old_file}, [](Disk& disk) { disk.system->rename("/etc/f", "/etc/moved"); });
}

TEST_CASE("a crash leaves owner and mode each as they were or as they are to be", "[crash][states]") {
  if (::geteuid() != 0) return;
  May may;
  for (const unsigned mode : {0640U, 0600U}) {
    for (const unsigned uid : {0U, 1001U}) may.push_back(Node{.content = old_bytes, .meta = {mode, uid, uid, "kept"}});
  }
  survives("/etc/f", may, may, [](Disk& disk) { disk.system->set_meta("/etc/f", {.mode = 0600, .uid = 1001, .gid = 1001}); });
  May folders = {std::nullopt};
  for (const unsigned mode : {0700U, 0750U}) {
    for (const unsigned uid : {0U, 1001U}) folders.push_back(Node{.type = Node::Type::folder, .meta = {mode, uid, uid, ""}});
  }
  survives("/etc/d", folders, folders, [](Disk& disk) {
    disk.system->make_directory("/etc/d", {.mode = 0750, .uid = 1001, .gid = 1001});
  });
}

TEST_CASE("many files that share one flush are all whole after it", "[crash][states]") {
  if (::geteuid() != 0) return;
  Disk disk;
  begin_log(disk.folder.path());
  FileMeta later = meta();
  later.durable = false;
  for (const char* path : {"/etc/a", "/etc/b"}) disk.system->write(path, new_bytes, later);
  CHECK(disk.system->hard_link("/etc/a", "/etc/c"));
  disk.system->flush("/etc/a");
  const WriteLog log = end_log();
  ++all_workloads;
  for (std::size_t done = 0; done < log.operations.size(); ++done) all_states += crash_states(log, done).size();
  for (const CrashState& state : crash_states(log, log.operations.size())) {
    ++all_states;
    for (const char* path : {"/etc/a", "/etc/b", "/etc/c"}) CHECK(is_one_of({born_file}, state, path));
  }
}

TEST_CASE("of a journal a crash leaves whole records, and all that were synced", "[crash][states]") {
  if (::geteuid() != 0) return;
  Disk disk;
  begin_log(disk.folder.path());
  std::vector<std::size_t> written;  // operations, when that many records were promised
  {
    Journal journal(disk.folder / "etc/journal");
    for (int i = 0; i < 3; ++i) {
      journal.append(Map{{"record", i}}, i == 1 ? Durability::buffered : Durability::synced);
      const WriteLog so_far = end_log();
      written.push_back(so_far.operations.size());
      resume_log(so_far);
    }
  }
  const WriteLog log = end_log();
  ++all_workloads;
  const TemporaryFolder again;
  for (std::size_t done = 0; done <= log.operations.size(); ++done) {
    const std::size_t promised = done >= written[2] ? 3 : done >= written[0] ? 1 : 0;
    for (const CrashState& state : crash_states(log, done)) {
      ++all_states;
      const auto file = state.find("/etc/journal");
      write_file(again / "journal", file == state.end() ? "" : file->second.content);
      const std::vector<Value> records = read_journal(again / "journal");
      INFO("after " << done << " operations, " << promised << " records promised");
      REQUIRE(records.size() >= promised);
      for (std::size_t i = 0; i < records.size(); ++i) CHECK(records[i].at("record") == Value(static_cast<int>(i)));
    }
  }
}

TEST_CASE("enough states of enough workloads were looked at", "[crash][states]") {
  if (::geteuid() != 0) return;
  WARN(all_states << " states of " << all_workloads << " workloads");
  CHECK(all_states >= least_states);
  CHECK(all_workloads >= least_workloads);
}
