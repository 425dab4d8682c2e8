#pragma once

#include <controller/audit/audit.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace holdfast {

/// Something that waits to be written to the audit branch.
struct WaitingEntry {
  std::int64_t id = 0;          // its place in the queue
  std::int64_t deployment = 0;  // 0: `entry` has all of it
  std::int64_t at_ms = 0;
  AuditEntry entry{};
};

/// The part of the state file that waits for the audit branch, over a connection of its own: the store's callers never
/// wait for it. Thread-safe. Every method throws Error when the file can't be used.
class AuditQueue {
 public:
  /// The state file must be there: Store::open() makes it.
  static std::unique_ptr<AuditQueue> open(const std::string& state_file);
  virtual ~AuditQueue() = default;

  /// The oldest.
  virtual std::vector<WaitingEntry> waiting(int most) = 0;
  virtual std::int64_t count() = 0;
  /// They are on the branch for good.
  virtual void remove(const std::vector<std::int64_t>& ids) = 0;
};

}  // namespace holdfast
