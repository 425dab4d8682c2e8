#pragma once

#include <controller/audit/trail.hpp>
#include <controller/git/publish.hpp>

#include <memory>
#include <string>
#include <vector>

namespace holdfast {

/// The audit branch as this controller writes it, in a repository of its own: a slow or hung push keeps no fetch of the
/// fleet's repository waiting. Belongs to one thread; its caller keeps other processes away.
class Ledger {
 public:
  /// `author` names who the commits are by; its time is each entry's own.
  Ledger(const std::string& folder, const Remote& remote, Author author, MirrorOptions options);

  /// Looks at the repository again: another process may have written to it.
  void refresh();

  /// The remote's branch as it was last seen, by whoever wrote then; empty: never. Kept over restarts by the caller,
  /// since the repository may be lost.
  [[nodiscard]] const std::string& seen() const { return seen_; }
  void has_seen(const std::string& commit) { seen_ = commit; }

  /// Whether there is a branch to write behind.
  [[nodiscard]] bool begun() const { return !index_.tip().empty(); }
  [[nodiscard]] const TrailIndex& index() const { return index_; }

  /// Writes those that are not there yet behind the others, in this repository. Deployments take over who approved
  /// their revision.
  void append(const std::vector<AuditEntry>& entries);

  /// Asks the remote for its branch, and makes ours follow from it: what others wrote comes first, ours is written
  /// again behind it. What a rewritten branch lacks is written again, with an entry that says so; nothing is forced.
  /// Words for people come back where that was done.
  std::vector<std::string> meet(Deadline deadline, std::int64_t now_ms);
  /// False where the remote's branch has moved meanwhile: meet() again. Throws Error where it takes nothing.
  bool push(Deadline deadline);

 private:
  std::vector<std::string> take_over(const std::string& theirs, std::int64_t now_ms, Deadline deadline);
  void follow(const std::string& tip);
  void write_again_behind(const std::string& theirs, const std::vector<AuditEntry>& first);
  [[nodiscard]] std::vector<AuditEntry> entries_not_in(const TrailIndex& theirs) const;
  void write(AuditEntry entry);

  Author author_;
  std::unique_ptr<Mirror> mirror_;
  std::unique_ptr<BranchLog> log_;
  TrailIndex index_;
  std::string seen_{};
};

}  // namespace holdfast
