#pragma once

#include <reconcilers/backup/record.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// A backup that can't be read as one, and why.
struct BrokenBackup {
  std::string id{};
  std::string what{};
};

struct Catalogue {
  std::vector<BackupRecord> records{};  // newest first
  std::vector<BrokenBackup> broken{};
};

/// The folder that holds the backups of one policy, one folder each. A backup appears in it whole, by a rename, or not
/// at all. Real paths; everything throws Error with path and reason.
class BackupShelf {
 public:
  /// `root` is the prefix, "" for none. Makes nothing.
  BackupShelf(const std::string& root, const BackupPolicy& policy);

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string path(const std::string& id) const { return folder_ + "/" + id; }

  /// Makes the folders (0700) and removes what dead runs left half done. Throws Error where others may write to them.
  void open() const;
  /// The topmost folder that open() would make; empty where all are there.
  [[nodiscard]] std::string first_missing() const;
  /// Takes away again what open() made, from `made` (see first_missing) on, where nothing is in it: a change that
  /// is about to make those folders itself finds the host as it was planned for.
  void take_away(const std::string& made) const;
  [[nodiscard]] Catalogue catalogue() const;
  [[nodiscard]] BackupRecord record(const std::string& id) const;

  /// An empty folder for a backup that is being made: `put_up` makes it one.
  [[nodiscard]] std::string begin(const std::string& id) const;
  void put_up(const BackupRecord& record) const;
  void drop(const std::string& id) const;

  /// Replaces the record of a backup that is there.
  void update(const BackupRecord& record) const;
  /// Removes what the record names, and the folder where that leaves nothing.
  void remove(const BackupRecord& record) const;

  /// A folder for what verification needs, gone with the next open() at the latest.
  [[nodiscard]] std::string scratch() const;

 private:
  std::string destination_;
  std::string folder_;
  std::string policy_;
};

}  // namespace holdfast
