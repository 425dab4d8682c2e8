#pragma once

#include <controller/audit/audit.hpp>
#include <controller/store/store.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

inline constexpr const char* audit_branch = "holdfast/audit";
inline constexpr std::size_t max_audit_record_bytes = 4U << 20U;

/// An entry as the audit branch holds it: one commit with one new file. What the commit says follows from the record,
/// so whoever changes one of them contradicts the other.
struct AuditRecord {
  std::int64_t number = 0;  // 1, 2, 3, … along the branch
  std::string previous{};   // SHA-256 of the record file before this one; empty for the first
  AuditEntry entry{};
};

/// The record file. Equal records give equal bytes.
std::string record_text(const AuditRecord& record);
/// Throws Error for anything but a record of a version that is known.
AuditRecord record_from(std::string_view text);
/// Where the file lies: "production/2026/11/21/20261121T140309.123Z-0a1b2c3d4e5f.json".
std::string record_path(const AuditRecord& record);
/// The commit's message: a subject for people, and trailers for programs.
std::string record_message(const AuditRecord& record);

/// "production: deployed 1a2b3c4d5e6f to web1: Raise workers"
std::string subject_of(const AuditEntry& entry);

/// The entry with every text printable, on one line and within its limits, hosts and approvers counted, and a record
/// that fits: what people or hosts said is hostile.
AuditEntry tidy(AuditEntry entry);

/// The entry of a deployment that ended. Its id follows from the host and the transaction, so that it is the same for
/// whoever writes it, also after the state was lost and read from the host again.
AuditEntry entry_of(const Deployment& deployment, Value details);

}  // namespace holdfast
