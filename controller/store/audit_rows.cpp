#include <controller/store/audit_rows.hpp>

#include <controller/store/random_id.hpp>
#include <controller/store/rows.hpp>
#include <manifests/json.hpp>

namespace holdfast {

namespace {

constexpr std::size_t id_digits = 32;

}  // namespace

Value to_value(const AuditEntry& entry) {
  return Map{{"kind", entry.kind},
             {"environment", entry.environment},
             {"revision", entry.revision},
             {"hosts", Value::texts(entry.hosts)},
             {"outcome", entry.outcome},
             {"duration_ms", entry.duration_ms},
             {"by", entry.by},
             {"approved_by", Value::texts(entry.approved_by)},
             {"reason", entry.reason},
             {"rolled_back_to", entry.rolled_back_to},
             {"subject", entry.subject},
             {"at_ms", entry.at_ms},
             {"record", entry.record},
             {"id", entry.id}};
}

AuditEntry audit_entry_from(const Value& value) {
  const auto texts = [&value](std::string_view key) {
    const Value* found = value.find(key);
    return found == nullptr ? std::vector<std::string>{} : found->as_texts();
  };
  const Value* record = value.find("record");
  return {.kind = value.text_or("kind", ""),
          .environment = value.text_or("environment", ""),
          .revision = value.text_or("revision", ""),
          .hosts = texts("hosts"),
          .outcome = value.text_or("outcome", ""),
          .duration_ms = value.int_or("duration_ms", -1),
          .by = value.text_or("by", ""),
          .approved_by = texts("approved_by"),
          .reason = value.text_or("reason", ""),
          .rolled_back_to = value.text_or("rolled_back_to", ""),
          .subject = value.text_or("subject", ""),
          .at_ms = value.int_or("at_ms", 0),
          .record = record == nullptr ? Value() : *record,
          .id = value.text_or("id", "")};
}

int insert_audit(SQLite::Database& database, AuditEntry entry) {
  if (entry.id.empty()) entry.id = random_id(id_digits);
  return prepare(database, "INSERT OR IGNORE INTO audits (entry, deployment, at_ms, body) VALUES (?, 0, ?, ?)",
                 entry.id, entry.at_ms, to_json(to_value(entry)))
      .exec();
}

}  // namespace holdfast
