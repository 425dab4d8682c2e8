#pragma once

#include <reconcilers/backup/guard.hpp>
#include <reconcilers/backup/record.hpp>
#include <reconcilers/backup/stored_file.hpp>
#include <reconcilers/host/system.hpp>

#include <cstdint>
#include <string>

namespace holdfast {

/// What an engine works with.
struct BackupWork {
  System& system;
  const BackupGuard& guard;
  std::string folder{};   // real path of where the files are, or are put
  std::string scratch{};  // real path of an empty folder for copies of its own
  std::string compression{};
};

/// A source that is not there (yet): an error of a scheduled run, nothing to save before a first deployment.
struct MissingSource {
  std::string what{};
};

/// One way to back something up. Throws Error on failure.
class BackupEngineWork {
 public:
  virtual ~BackupEngineWork() = default;
  /// How many bytes on the destination's disk it may need at most; throws MissingSource.
  [[nodiscard]] virtual std::int64_t estimate(const BackupWork& work, const BackupSource& source) const = 0;
  /// Writes a file whose name begins with `stem` into `work.folder` and gives what the record says of it.
  virtual BackupPart take(const BackupWork& work, const BackupSource& source, const std::string& stem) const = 0;
  /// Reads the stored file, whose digest has been found right, as a restore would. Gives how it was verified; throws
  /// DamagedBackup.
  virtual std::string verify(const BackupWork& work, const BackupPart& part) const = 0;
};

const BackupEngineWork& backup_engine(BackupEngine engine);
const BackupEngineWork& sqlite_engine();
const BackupEngineWork& postgres_engine();
const BackupEngineWork& files_engine();

/// Runs a program that writes the backup to its standard output: every piece goes to `sink`. What the sink throws ends
/// the program and is thrown again; what came of the program is given.
Output run_into(const BackupWork& work, Command command, const Sink& sink);
void tell_stored(const Stored& stored, BackupPart& part);

/// "app.db" of any text, for a file's name: letters, digits and "_.-".
std::string plain_name(const std::string& text);

}  // namespace holdfast
