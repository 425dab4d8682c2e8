#pragma once

#include <controller/audit/ledger.hpp>
#include <controller/audit/queue.hpp>
#include <controller/rollout/clock.hpp>
#include <controller/rollout/progress.hpp>
#include <controller/store/store.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace holdfast {

/// How the audit branch is written: `audit:` of the controller's settings.
struct AuditSettings {
  bool push = true;  // false: it stays beside the controller
  Author author{};
  std::string state{};  // the controller's state folder
  Remote remote{};
  std::string mirror_folder{};  // of the fleet's repository: where a rewritten branch is noticed; empty: not there
  MirrorOptions mirror{};
};

/// How the writing of the audit branch stands, as the state file keeps it for `status`.
struct AuditStanding {
  std::int64_t waiting = 0;
  std::int64_t failing_since_ms = 0;  // 0: it works
  std::string why{};
};
AuditStanding audit_standing(Store& store, AuditQueue& queue);
AuditStanding standing_of(Store& store, const std::string& state_file);
/// The remote's branch as this controller saw it last; empty: never.
std::string seen_by(Store& store);

/// Writes what waits in the state file to the audit branch, and pushes it. An entry leaves the queue when the remote
/// has it, and its id keeps it from being written twice: so none is lost or doubled, whatever dies in between.
/// Belongs to one thread.
class Scribe {
 public:
  Scribe(AuditSettings settings, Store& store, AuditQueue& queue, const Clock& clock, OnProgress on_progress);

  /// One look: milliseconds until the next one. What fails is told once and tried again after 1 s, 2 s, … 1 min.
  std::int64_t turn();
  /// Once, now, within `most_ms`; false where something goes on waiting, with the reason in why().
  bool now(std::int64_t most_ms);
  [[nodiscard]] const std::string& why() const { return said_; }

 private:
  [[nodiscard]] bool has_work();
  bool work(Deadline deadline, std::int64_t young_ms);
  void exchange(const std::vector<AuditEntry>& entries, Deadline deadline);
  void remember_seen();
  std::vector<WaitingEntry> old_enough(std::int64_t young_ms);
  std::vector<AuditEntry> entries_of(const std::vector<WaitingEntry>& waiting);
  void failed(const std::string& why);
  void worked();
  void tell(Progress::Level level, const std::string& text) const;

  AuditSettings settings_;
  Store& store_;
  AuditQueue& queue_;
  const Clock& clock_;
  OnProgress on_progress_;
  std::unique_ptr<Ledger> ledger_{};
  std::string mirrored_ = "?";  // the branch as the fleet's mirror had it last; not looked at yet
  std::string said_{};
  int failures_ = 0;
};

}  // namespace holdfast
