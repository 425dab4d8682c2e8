#include <reconcilers/backup/engine.hpp>
#include <reconcilers/backup/sqlite_database.hpp>
#include <reconcilers/backup/stored_file.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/accounts.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/state_files.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace holdfast {

namespace {

FileStat database_at(const System& system, const std::string& path) {
  const std::optional<FileStat> found = system.stat(path);
  if (!found) throw MissingSource{"the database \"" + path + "\" does not exist"};
  if (found->type == FileType::regular) return *found;
  throw Error("expected a database at \"" + path + "\", found something that is no file" +
              (found->type == FileType::link ? ": name the file that the link leads to" : ""));
}

/// The path without the links that root made on the way to it.
std::string real_path(const System& system, const std::string& path) {
  std::error_code error;
  const std::string folder = std::filesystem::canonical(system.root() + parent_of(path), error).string();
  if (error) throw Error("cannot find \"" + path + "\": " + error.message());
  return folder + "/" + name_of(path);
}

std::optional<RunAs> owner_of(const System& system, const FileStat& stat) {
  if (!system.abilities().ownership || stat.uid == 0) return std::nullopt;
  const Accounts accounts = read_accounts(system);
  const std::string name = accounts.user_name(stat.uid);
  if (accounts.user(name) == nullptr)
    return RunAs{.uid = stat.uid, .gid = stat.gid, .groups = {stat.gid}, .name = name};
  return accounts.run_as(name);
}

Map facts_of(const DatabaseFacts& facts) {
  return {{"pages", facts.pages}, {"page_bytes", facts.page_bytes}, {"tables", facts.tables}, {"rows", facts.rows}};
}

/// The copy itself where nothing is compressed, else a compressed copy of it.
Stored store(const BackupWork& work, const std::string& copy, const std::string& to) {
  if (work.compression == "none") {
    if (::rename(copy.c_str(), to.c_str()) != 0) throw_system_error("cannot put up", to, errno, -1);
    sync_file(to);
    Stored stored = measure(to, work.guard);
    stored.raw_bytes = stored.stored_bytes;
    return stored;
  }
  StoredWriter writer(to, work.compression, work.guard);
  read_pieces(copy, work.guard, [&](std::string_view bytes) { writer.add(bytes); });
  const Stored stored = writer.finish();
  remove_state_file(copy);
  return stored;
}

class SqliteEngine : public BackupEngineWork {
 public:
  [[nodiscard]] std::int64_t estimate(const BackupWork& work, const BackupSource& source) const override {
    auto bytes = static_cast<std::int64_t>(database_at(work.system, source.path).size);
    if (const auto log = work.system.stat(source.path + "-wal")) bytes += static_cast<std::int64_t>(log->size);
    return work.compression == "none" ? bytes : bytes + bytes / 2;  // the copy, and what it is compressed to
  }

  BackupPart take(const BackupWork& work, const BackupSource& source, const std::string& stem) const override {
    const FileStat stat = database_at(work.system, source.path);
    const std::string copy = work.scratch + "/copy.db";
    copy_database(real_path(work.system, source.path), copy, owner_of(work.system, stat), work.guard);
    BackupPart part{.source = source, .compression = work.compression};
    part.facts = facts_of(check_database(copy, work.guard));
    const Accounts accounts = read_accounts(work.system);
    part.facts["owner"] = accounts.user_name(stat.uid);
    part.facts["group"] = accounts.group_name(stat.gid);
    part.facts["mode"] = stat.mode;
    part.file = stem + plain_name(name_of(source.path)) + (work.compression == "gzip" ? ".gz" : "");
    tell_stored(store(work, copy, work.folder + "/" + part.file), part);
    return part;
  }

  [[nodiscard]] std::string verify(const BackupWork& work, const BackupPart& part) const override {
    std::string path = work.folder + "/" + part.file;
    if (part.compression != "none") {
      work.guard.expect_room_for(part.raw_bytes);
      const std::string copy = work.scratch + "/verify.db";
      StoredWriter writer(copy, "none", work.guard);
      read_stored(path, part.compression, part.raw_bytes, work.guard,
                  [&](std::string_view bytes) { writer.add(bytes); });
      writer.finish();
      path = copy;
    }
    Map found = facts_of(check_database(path, work.guard));
    for (const auto& [name, value] : found) {
      const auto recorded = part.facts.find(name);
      if (recorded == part.facts.end() || recorded->second != value)
        throw DamagedBackup("the database has other " + name + " than its record says");
    }
    if (part.compression != "none") remove_state_file(path);
    return "integrity_check of " + std::to_string(found.at("pages").as_int()) + " pages, " +
           std::to_string(found.at("rows").as_int()) + " rows";
  }
};

}  // namespace

const BackupEngineWork& sqlite_engine() {
  static const SqliteEngine engine;
  return engine;
}

}  // namespace holdfast
