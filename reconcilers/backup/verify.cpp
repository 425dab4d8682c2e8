#include <reconcilers/backup/backup_run.hpp>
#include <reconcilers/backup/engine.hpp>
#include <reconcilers/backup/retention.hpp>
#include <reconcilers/backup/stored_file.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/state_files.hpp>

namespace holdfast {

namespace {

void expect_digest(const BackupGuard& guard, const BackupPart& part, const std::string& path) {
  std::optional<Stored> found;
  try {
    found = measure(path, guard);
  } catch (const Error& error) {
    guard.check();
    throw DamagedBackup(error.what());
  }
  if (found->stored_bytes != part.stored_bytes) {
    throw DamagedBackup("expected " + std::to_string(part.stored_bytes) + " bytes in " + part.file + ", found " +
                        std::to_string(found->stored_bytes));
  }
  if (found->digest != part.digest) throw DamagedBackup(part.file + " has another digest than when it was written");
}

std::string verify_part(System& system, const BackupGuard& guard, const BackupPart& part, const std::string& folder,
                        const std::string& scratch) {
  expect_digest(guard, part, folder + "/" + part.file);
  const BackupWork work{system, guard, folder, scratch, part.compression};
  try {
    return backup_engine(part.source.engine).verify(work, part);
  } catch (const MissingSource& missing) {
    throw Error("cannot verify " + part.file + ": " + missing.what);
  } catch (const DamagedBackup& error) {
    throw DamagedBackup(part.file + ": " + error.what());
  }
}

std::string verify_all(System& system, const BackupGuard& guard, const std::vector<BackupPart>& parts,
                       const std::string& folder, const std::string& scratch) {
  std::string how;
  for (const BackupPart& part : parts) {
    if (part.file.empty()) continue;
    how += (how.empty() ? "digest, " : "; digest, ") + verify_part(system, guard, part, folder, scratch);
  }
  return how;
}

BackupRecord newest_of(const BackupShelf& shelf, const std::string& policy) {
  const Catalogue catalogue = shelf.catalogue();
  const bool broken = !catalogue.broken.empty() &&
                      (catalogue.records.empty() || catalogue.broken.front().id > catalogue.records.front().id);
  if (broken) throw Error("backup " + catalogue.broken.front().id + ": " + catalogue.broken.front().what);
  if (catalogue.records.empty()) throw Error("there is no backup of \"" + policy + "\" yet");
  return catalogue.records.front();
}

}  // namespace

std::string verify_parts(System& system, const BackupGuard& guard, const std::vector<BackupPart>& parts,
                         const std::string& folder, const std::string& scratch) {
  try {
    return verify_all(system, guard, parts, folder, scratch);
  } catch (const DamagedBackup& damaged) {
    throw Error(std::string("what was written can't be read back: ") + damaged.what());
  }
}

BackupState state_of(const Catalogue& catalogue, const BackupState& before) {
  BackupState state{.failures = before.failures};
  if (const BackupRecord* newest = newest_verified(catalogue.records)) {
    state.verified_id = newest->id;
    state.verified_at_ms = newest->begun_ms;
    state.verified_bytes = stored_bytes(*newest);
  }
  for (const BrokenBackup& broken : catalogue.broken) {
    if (broken.id <= state.verified_id || !state.damaged_id.empty()) continue;
    state.damaged_id = broken.id;
    state.damaged_what = broken.what;
  }
  for (const BackupRecord& record : catalogue.records) {
    if (record.verified != Verified::damaged || record.begun_ms < state.verified_at_ms) continue;
    if (!state.damaged_id.empty()) break;
    state.damaged_id = record.id;
    state.damaged_what = record.verified_how;
  }
  return state;
}

void read_back(System& system, const BackupGuard& guard, const BackupShelf& shelf, BackupRecord& record) {
  const std::string scratch = shelf.scratch();
  try {
    record.verified_how = verify_all(system, guard, record.parts, shelf.path(record.id), scratch);
    record.verified = Verified::yes;
  } catch (const DamagedBackup& damaged) {
    record.verified_how = damaged.what();
    record.verified = Verified::damaged;
  } catch (...) {
    shelf.open();
    throw;
  }
  record.verified_ms = system.now_ns() / 1'000'000;
  shelf.open();  // nothing stays of what was unpacked
  shelf.update(record);
}

BackupOutcome verify_backup(System& system, const BackupPolicy& policy, const std::string& id, const TellBackup& tell) {
  const BackupShelf shelf(system.root(), policy);
  const BackupMemory memory(system.root(), policy.name);
  memory.make_folder();
  const std::optional<FileLock> lock = FileLock::take(memory.lock_path(), std::chrono::seconds(5));
  if (!lock) throw Error("a backup of \"" + policy.name + "\" is being made: ask again when it is done");
  shelf.open();
  BackupOutcome outcome;
  try {
    outcome.record = id.empty() ? newest_of(shelf, policy.name) : shelf.record(id);
  } catch (const Error& error) {
    outcome.error = error.what();
    memory.write(state_of(shelf.catalogue(), memory.read()));
    return outcome;
  }
  tell("reading backup " + outcome.record->id + " back");
  const BackupGuard guard(shelf.folder(), 0, 0, std::chrono::milliseconds(policy.timeout_ms));
  BackupRecord& record = *outcome.record;
  read_back(system, guard, shelf, record);
  if (record.verified == Verified::damaged) {
    outcome.error = "backup " + record.id + " of \"" + policy.name + "\" is damaged: " + record.verified_how;
  }
  memory.write(state_of(shelf.catalogue(), memory.read()));
  return outcome;
}

}  // namespace holdfast
