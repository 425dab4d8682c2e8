#pragma once

#include <controller/audit/scribe.hpp>

#include <memory>

namespace holdfast {

/// Writes the audit branch from a thread of its own for as long as it lives: nothing waits for it. What is not written
/// at its end is written by the next one.
class AuditThread {
 public:
  /// `store` must outlive it. Throws Error when the state file can't be used.
  AuditThread(AuditSettings settings, const std::string& state_file, Store& store, const Clock& clock,
              OnProgress on_progress);
  /// Ends at once, or when what it just asks the remote has its answer or its deadline.
  ~AuditThread();
  AuditThread(const AuditThread&) = delete;
  AuditThread& operator=(const AuditThread&) = delete;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace holdfast
