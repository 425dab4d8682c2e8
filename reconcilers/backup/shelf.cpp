#include <reconcilers/backup/shelf.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/state_files.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

constexpr const char* record_name = "/backup.json";
constexpr std::size_t max_record_bytes = 1U << 20U;
constexpr std::string_view partial = ".partial-";
constexpr std::string_view scratch_name = ".scratch";

void expect_private(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) throw_system_error("cannot look at", path, errno, -1);
  if (!S_ISDIR(status.st_mode)) throw Error("expected a folder at \"" + path + "\", found something else");
  const bool ours = status.st_uid == ::geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  if (!ours) throw Error("others may write to \"" + path + "\": backups need a folder of root's own (chmod 0700)");
}

void remove_all(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) throw Error("cannot remove \"" + path + "\": " + error.message());
}

}  // namespace

BackupShelf::BackupShelf(const std::string& root, const BackupPolicy& policy)
    : destination_(root + policy.destination), folder_(destination_ + "/" + policy.name), policy_(policy.name) {}

void BackupShelf::open() const {
  make_private_folder(folder_);
  expect_private(destination_);
  expect_private(folder_);
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(partial) || name == scratch_name) remove_all(entry.path().string());
  }
}

std::string BackupShelf::first_missing() const {
  std::string missing;
  struct stat status {};
  for (std::string path = folder_; path.size() > 1 && ::lstat(path.c_str(), &status) != 0; path = parent_of(path)) {
    missing = path;
  }
  return missing;
}

void BackupShelf::take_away(const std::string& made) const {
  if (made.empty()) return;
  for (std::string path = folder_; path.size() >= made.size() && ::rmdir(path.c_str()) == 0;) path = parent_of(path);
}

BackupRecord BackupShelf::record(const std::string& id) const {
  if (!is_backup_id(id)) throw Error("\"" + id + "\" is no id of a backup: expected one such as 20261121T023000Z");
  struct stat status {};
  if (::lstat(path(id).c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    throw Error("there is no backup \"" + id + "\" of \"" + policy_ + "\" in \"" + folder_ + "\"");
  }
  return while_doing("reading \"" + path(id) + record_name + "\"", [&] {
    const std::optional<std::string> text = read_state_file(path(id) + record_name, max_record_bytes);
    if (!text) throw Error("it is missing");
    return backup_record_from(from_json(*text, {.bytes = max_record_bytes, .depth = 16}), policy_, id);
  });
}

Catalogue BackupShelf::catalogue() const {
  Catalogue found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    const std::string id = entry.path().filename().string();
    if (!is_backup_id(id)) continue;  // not ours
    try {
      found.records.push_back(record(id));
    } catch (const Error& fault) {
      found.broken.push_back({id, fault.what()});
    }
  }
  std::ranges::sort(found.records, [](const BackupRecord& a, const BackupRecord& b) {
    return a.begun_ms != b.begun_ms ? a.begun_ms > b.begun_ms : a.id > b.id;
  });
  std::ranges::sort(found.broken, std::ranges::greater{}, &BrokenBackup::id);
  return found;
}

std::string BackupShelf::begin(const std::string& id) const {
  std::string path = folder_ + "/" + std::string(partial) + id;
  if (::mkdir(path.c_str(), 0700) != 0) throw_system_error("cannot make the folder", path, errno, -1);
  return path;
}

void BackupShelf::put_up(const BackupRecord& record) const {
  const std::string from = folder_ + "/" + std::string(partial) + record.id;
  write_state_file(from + record_name, to_pretty_json(to_value(record)) + "\n");
  if (::rename(from.c_str(), path(record.id).c_str()) != 0) {
    throw_system_error("cannot put up", path(record.id), errno, -1);
  }
  sync_state_folder(folder_);
}

void BackupShelf::drop(const std::string& id) const { remove_all(folder_ + "/" + std::string(partial) + id); }

void BackupShelf::update(const BackupRecord& record) const {
  write_state_file(path(record.id) + record_name, to_pretty_json(to_value(record)) + "\n");
}

void BackupShelf::remove(const BackupRecord& record) const {
  for (const BackupPart& part : record.parts) {
    if (!part.file.empty()) remove_state_file(path(record.id) + "/" + part.file);
  }
  remove_state_file(path(record.id) + record_name);
  ::rmdir(path(record.id).c_str());  // stays where somebody put something of their own into it
}

std::string BackupShelf::scratch() const {
  const std::string path = folder_ + "/" + std::string(scratch_name);
  remove_all(path);
  if (::mkdir(path.c_str(), 0700) != 0) throw_system_error("cannot make the folder", path, errno, -1);
  return path;
}

}  // namespace holdfast
