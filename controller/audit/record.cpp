#include <controller/audit/record.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <array>
#include <cstdio>
#include <ctime>

namespace holdfast {

namespace {

constexpr int record_version = 1;
constexpr std::size_t id_digits = 32;
constexpr std::int64_t most_entries = 1'000'000'000'000;
constexpr std::size_t id_digits_in_path = 12;
constexpr JsonLimits json_limits{.bytes = max_audit_record_bytes, .depth = 32};

struct tm utc_parts(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  struct tm parts {};
  ::gmtime_r(&seconds, &parts);
  return parts;
}

std::string formatted(const struct tm& parts, const char* format) {
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

std::string milliseconds(std::int64_t ms) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), ".%03d", static_cast<int>(ms % 1000));
  return text.data();
}

/// A name as a folder: a manifest's name is fit for it, and what is not one is made so.
std::string folder_of(const std::string& environment) {
  std::string name = environment.empty() ? "fleet" : environment;
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (!plain) c = '_';
  }
  return name;
}

std::string text_at(const Value& value, std::string_view key) { return value.at(key).as_text(); }

void expect(bool holds, const std::string& what) {
  if (!holds) throw Error("the record " + what);
}

AuditEntry entry_from(const Value& value) {
  return {.kind = text_at(value, "event"),
          .environment = text_at(value, "environment"),
          .revision = text_at(value, "revision"),
          .hosts = value.at("hosts").as_texts(),
          .outcome = text_at(value, "outcome"),
          .duration_ms = value.at("duration_ms").as_int(),
          .by = text_at(value, "requested_by"),
          .approved_by = value.at("approved_by").as_texts(),
          .reason = text_at(value, "reason"),
          .rolled_back_to = text_at(value, "rolled_back_to"),
          .subject = text_at(value, "subject"),
          .at_ms = value.at("at_ms").as_int(),
          .record = value.find("details") == nullptr ? Value() : value.at("details"),
          .id = text_at(value, "entry")};
}

}  // namespace

std::string record_text(const AuditRecord& record) {
  const AuditEntry& e = record.entry;
  const struct tm parts = utc_parts(e.at_ms);
  Map map{{"kind", "audit"},
          {"version", record_version},
          {"number", record.number},
          {"previous", record.previous},
          {"entry", e.id},
          {"event", e.kind},
          {"at", formatted(parts, "%Y-%m-%dT%H:%M:%S") + milliseconds(e.at_ms) + "Z"},
          {"at_ms", e.at_ms},
          {"environment", e.environment},
          {"revision", e.revision},
          {"subject", e.subject},
          {"hosts", Value::texts(e.hosts)},
          {"outcome", e.outcome},
          {"duration_ms", e.duration_ms},
          {"requested_by", e.by},
          {"approved_by", Value::texts(e.approved_by)},
          {"reason", e.reason},
          {"rolled_back_to", e.rolled_back_to}};
  if (!e.record.is_null()) map["details"] = e.record;
  return to_pretty_json(map) + "\n";
}

AuditRecord record_from(std::string_view text) {
  const Value value = from_json(text, json_limits);
  expect(value.text_or("kind", "") == "audit", "is none of an audit");
  const std::int64_t version = value.at("version").as_int();
  expect(version == record_version, "has version " + std::to_string(version) + ", expected " +
                                        std::to_string(record_version) + ": look at it with a newer holdfast");
  AuditRecord record{
      .number = value.at("number").as_int(), .previous = text_at(value, "previous"), .entry = entry_from(value)};
  const std::string& id = record.entry.id;
  expect(record.number > 0 && record.number < most_entries, "has no number");
  expect(record.previous.empty() || is_sha256(record.previous), "names no digest of the one before it");
  expect(id.size() == id_digits && id.find_first_not_of("0123456789abcdef") == std::string::npos, "has no id");
  constexpr std::int64_t year_9999_ms = 253'402'300'799'000;
  expect(record.entry.at_ms >= 0 && record.entry.at_ms <= year_9999_ms, "has no time");
  return record;
}

std::string record_path(const AuditRecord& record) {
  const AuditEntry& e = record.entry;
  const struct tm parts = utc_parts(e.at_ms);
  return folder_of(e.environment) + "/" + formatted(parts, "%Y/%m/%d/%Y%m%dT%H%M%S") + milliseconds(e.at_ms) + "Z-" +
         e.id.substr(0, id_digits_in_path) + ".json";
}

}  // namespace holdfast
