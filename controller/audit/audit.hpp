#pragma once

#include <manifests/value.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// Something that the audit branch is to tell: one commit. Texts are made printable, one line each, and capped where
/// the commit is made; no secrets, anybody who can read the repository reads them. Deployments, repairs and rollbacks
/// of hosts enter by themselves, in the transaction that ends them: `Store::add_audit` is for what people do and
/// decide.
struct AuditEntry {
  std::string kind{};         // "approval", "override", "suspend", "resume", …: lower case letters and "-"
  std::string environment{};  // empty: about none
  std::string revision{};     // a commit; empty: about none
  std::vector<std::string> hosts{};
  std::string outcome{};                   // one or two words for the subject: "approved", "suspended"; empty: the kind
  std::int64_t duration_ms = -1;           // -1: it took none
  std::string by{};                        // who asked for it
  std::vector<std::string> approved_by{};  // empty for a deployment: those of its revision's `approval` entries
  std::string reason{};
  std::string rolled_back_to{};  // a commit
  std::string subject{};         // first line of the revision's message
  std::int64_t at_ms = 0;        // since the epoch
  Value record{};                // a map with all that else belongs to it, or null
  std::string id{};              // 32 hexadecimal digits, never written twice; empty: drawn
};

Value to_value(const AuditEntry& entry);
AuditEntry audit_entry_from(const Value& value);

}  // namespace holdfast
