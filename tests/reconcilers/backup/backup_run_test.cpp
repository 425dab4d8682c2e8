#include <reconcilers/backup/backup_run.hpp>
#include <reconcilers/backup/command.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/host/state_files.hpp>

#include "database.hpp"
#include "temporary.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <algorithm>

using namespace holdfast;

namespace {

/// A root with a database, files and a policy over them.
struct Machine {
  Machine() {
    ::umask(077);
    std::filesystem::create_directories(folder / "srv/files/sub");
    execute_sql(folder / "srv/app.db",
                "create table t (a, b); with recursive n(i) as (select 1 union all select i+1 from n where i < 5000) "
                "insert into t select i, hex(randomblob(40)) from n");
    write_file(folder / "srv/files/one", "hello");
    write_file(folder / "srv/files/sub/two.log", "not this");
    policy = {.name = "app", .destination = "/var/backups/holdfast"};
    policy.sources = {{.engine = BackupEngine::sqlite, .path = "/srv/app.db"},
                      {.engine = BackupEngine::files, .paths = {"/srv/files"}, .exclude = {"*.log"}}};
    policy.keep_count = 2;
    write_policy();
  }

  void write_policy() const { write_file(folder / "etc/holdfast/backups/app.json", to_json(to_value(policy))); }

  BackupOutcome run(const std::string& reason = "manual") {
    const BackupRequest request{.reason = reason};
    return run_backup(*system, policy, request, [](const std::string&) {});
  }
  BackupOutcome verify(const std::string& id = "") {
    return verify_backup(*system, policy, id, [](const std::string&) {});
  }
  std::string standing() const { return backup_standings(*system).at(0).problem; }
  [[nodiscard]] std::string shelf() const { return folder / "var/backups/holdfast/app"; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found = system->list("/var/backups/holdfast/app");
    return found;
  }

  TemporaryFolder folder{};
  std::unique_ptr<System> system = make_linux_system(folder.path());
  BackupPolicy policy{};
};

void flip_bit(const std::string& path, std::size_t at) {
  std::string bytes = read_file(path);
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ 32);
  write_file(path, bytes);
}

}  // namespace

TEST_CASE("a backup holds what was there, checked and sealed", "[backup][run]") {
  const std::string compression = GENERATE("gzip", "none");
  Machine machine;
  machine.policy.compress = compression;
  CHECK(machine.standing() == "never");
  const BackupOutcome outcome = machine.run();
  INFO(outcome.error);
  REQUIRE(outcome.record);
  const BackupRecord& record = *outcome.record;
  CHECK(record.verified == Verified::yes);
  CHECK(record.parts.at(0).facts.at("rows") == Value(5000));
  CHECK(record.parts.at(1).facts.at("entries") == Value(3));
  CHECK(record.same_disk);
  CHECK(machine.names() == std::vector<std::string>{record.id});
  CHECK(machine.verify().ok());
  CHECK(machine.standing().empty());
  struct stat status {};
  REQUIRE(::stat((machine.shelf() + "/" + record.id + "/backup.json").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600U);
  if (compression == "none") {
    const std::string copy = machine.shelf() + "/" + record.id + "/" + record.parts.at(0).file;
    CHECK(query_sql(copy, "select count(*) from t") == "5000");
  }
}

TEST_CASE("a flipped bit is found in each part and in the record, wherever it is", "[backup][run]") {
  Machine machine;
  machine.policy.compress = GENERATE("gzip", "none");
  const std::string id = machine.run().record->id;
  const BackupRecord record = BackupShelf(machine.folder.path(), machine.policy).record(id);
  REQUIRE(record.parts.size() == 2);
  for (const BackupPart& part : record.parts) {
    const std::string path = machine.shelf() + "/" + id + "/" + part.file;
    const std::size_t size = read_file(path).size();
    for (const std::size_t at : {std::size_t{0}, size / 3, size / 2, size - 1}) {
      flip_bit(path, at);
      const BackupOutcome damaged = machine.verify(id);
      CHECK(damaged.error.find("is damaged: " + part.file) != std::string::npos);
      CHECK(machine.standing() == "damaged");
      flip_bit(path, at);
      CHECK(machine.verify(id).ok());
      CHECK(machine.standing().empty());
    }
    const std::string good = read_file(path);
    write_file(path, good + "x");
    CHECK_FALSE(machine.verify(id).ok());
    std::filesystem::remove(path);
    CHECK_FALSE(machine.verify(id).ok());
    write_file(path, good);
  }
  std::filesystem::remove(machine.shelf() + "/" + id + "/" + record.parts.front().file);
  CHECK_FALSE(machine.verify(id).ok());
  CHECK(machine.run().ok());
  CHECK(machine.standing().empty());
  const std::string newest = machine.verify().record->id;
  flip_bit(machine.shelf() + "/" + newest + "/backup.json", 100);
  CHECK_FALSE(machine.verify(newest).ok());
  CHECK_FALSE(machine.verify().ok());
  CHECK(machine.standing() == "damaged");
}

TEST_CASE("scheduled runs find older backups that rotted", "[backup][run]") {
  Machine machine;
  machine.policy.keep_count = 5;
  const BackupRecord first = *machine.run("schedule").record;
  REQUIRE(machine.run("schedule").note.empty());
  flip_bit(machine.shelf() + "/" + first.id + "/" + first.parts.front().file, 700);
  std::string notes = machine.run("schedule").note;
  notes += machine.run("schedule").note;
  CHECK(notes == "the older backup " + first.id + " is damaged: " + first.parts.front().file +
                     " has another digest than when it was written");
  CHECK(BackupShelf(machine.folder.path(), machine.policy).record(first.id).verified == Verified::damaged);
  CHECK(machine.standing().empty());
}

TEST_CASE("a database that is broken already is no backup", "[backup][run]") {
  Machine machine;
  const std::string path = machine.folder / "srv/app.db";
  std::string bytes = read_file(path);
  std::fill(bytes.begin() + 5 * 4096, bytes.begin() + 8 * 4096, 'Z');
  write_file(path, bytes);
  const BackupOutcome outcome = machine.run();
  CHECK(outcome.error.find("integrity_check") != std::string::npos);
  CHECK(machine.names().empty());
  CHECK(machine.standing() == "failed");
  write_file(path, "this is no database at all, but it is long enough to be taken for one by somebody");
  CHECK(machine.run().error.find("not a database") != std::string::npos);
}

TEST_CASE("without room nothing is begun, and older backups stay", "[backup][run]") {
  Machine machine;
  const std::string id = machine.run().record->id;
  machine.policy.free_bytes = std::int64_t{1} << 60;
  const BackupOutcome outcome = machine.run();
  CHECK(outcome.error.find("must stay free") != std::string::npos);
  CHECK(machine.names() == std::vector<std::string>{id});
  CHECK(machine.standing() == "failed");
  CHECK(BackupMemory(machine.folder.path(), "app").read().failures.at(0).reason == "manual");
  machine.policy.free_bytes = 0;
  CHECK(machine.run().ok());
  CHECK(machine.standing().empty());
}

TEST_CASE("only what a policy made is removed, and half of a backup is not one", "[backup][run]") {
  Machine machine;
  std::filesystem::create_directories(machine.shelf() + "/20200101T000000Z");
  write_file(machine.shelf() + "/20200101T000000Z/mine", "mine");
  write_file(machine.shelf() + "/20200202T000000Z/backup.json", "{}");
  write_file(machine.shelf() + "/.partial-20200101T000000Z/1-x", "half");
  write_file(machine.shelf() + "/.scratch/copy.db", "half");
  for (int i = 0; i < 4; ++i) REQUIRE(machine.run().ok());
  const std::vector<std::string> names = machine.names();
  CHECK(names.size() == 4);
  CHECK(names.front() == "20200101T000000Z");
  CHECK(std::ranges::count_if(names, [](const std::string& name) { return name.starts_with("."); }) == 0);
  CHECK(read_file(machine.shelf() + "/20200101T000000Z/mine") == "mine");
}

TEST_CASE("a missing source is an error, but nothing to save before a first change", "[backup][run]") {
  Machine machine;
  std::filesystem::rename(machine.folder / "srv", machine.folder / "away");
  CHECK(machine.run("schedule").error.find("does not exist") != std::string::npos);
  const BackupOutcome first = machine.run("before-deploy");
  CHECK(first.ok());
  CHECK_FALSE(first.record);
  CHECK(first.note.find("nothing to save yet") != std::string::npos);
  CHECK(machine.names().empty());
  std::filesystem::rename(machine.folder / "away", machine.folder / "srv");
  CHECK(machine.run("before-deploy").record);
  std::filesystem::remove(machine.folder / "srv/app.db");
  CHECK(machine.run("before-deploy").error.find("there are backups of it") != std::string::npos);
}

TEST_CASE("one run of a policy at a time", "[backup][run]") {
  Machine machine;
  const BackupMemory memory(machine.folder.path(), "app");
  memory.make_folder();
  const auto lock = FileLock::take(memory.lock_path(), std::chrono::milliseconds(0));
  REQUIRE(lock);
  CHECK(machine.run().error.find("is being made") != std::string::npos);
  machine.policy.timeout_ms = 50;
  CHECK_FALSE(machine.run("before-deploy").ok());
}

TEST_CASE("a destination that others may write to is refused", "[backup][run]") {
  Machine machine;
  std::filesystem::create_directories(machine.folder / "var/backups/holdfast");
  ::chmod((machine.folder / "var/backups/holdfast").c_str(), 0777);
  CHECK(machine.run().error.find("others may write") != std::string::npos);
  std::filesystem::remove_all(machine.folder / "var/backups/holdfast");
  std::filesystem::create_directories(machine.folder / "elsewhere");
  std::filesystem::create_symlink(machine.folder / "elsewhere", machine.folder / "var/backups/holdfast");
  CHECK_FALSE(machine.run().ok());
}

TEST_CASE("a link in the place of a database is not followed", "[backup][run]") {
  Machine machine;
  std::filesystem::rename(machine.folder / "srv/app.db", machine.folder / "srv/real.db");
  std::filesystem::create_symlink("real.db", machine.folder / "srv/app.db");
  CHECK(machine.run().error.find("name the file that the link leads to") != std::string::npos);
}

TEST_CASE("a backup never holds the backups", "[backup][run]") {
  Machine machine;
  machine.policy.sources = {{.engine = BackupEngine::files, .paths = {"/var", "/srv/files"}}};
  const std::int64_t first = machine.run().record->parts.at(0).facts.at("entries").as_int();
  CHECK(machine.run().record->parts.at(0).facts.at("entries").as_int() <= first + 1);
}
