#include <reconcilers/backup/record.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <array>
#include <ctime>
#include <utility>

namespace holdfast {

namespace {

constexpr std::int64_t record_version = 1;
constexpr std::size_t max_parts = 50;
constexpr std::array<std::pair<Verified, std::string_view>, 3> verified_names = {
    {{Verified::no, "no"}, {Verified::yes, "verified"}, {Verified::damaged, "damaged"}}};

Verified verified_from(std::string_view text) {
  for (const auto& [verified, name] : verified_names) {
    if (name == text) return verified;
  }
  throw Error("expected no, verified or damaged, found \"" + std::string(text) + "\"");
}

std::string_view to_text(Verified verified) { return verified_names[static_cast<std::size_t>(verified)].second; }

/// The source as it is written in a policy.
BackupSource source_from(const Value& value) {
  const Value policy = Map{{"version", 1}, {"name", "record"}, {"destination", "/record"}, {"sources", List{value}}};
  return backup_policy_from(policy).sources.front();
}

Value to_value(const BackupPart& part) {
  return Map{{"source", to_value(part.source)}, {"file", part.file},           {"compression", part.compression},
             {"digest", part.digest},           {"raw_bytes", part.raw_bytes}, {"stored_bytes", part.stored_bytes},
             {"skipped", part.skipped},         {"note", part.note},           {"facts", part.facts}};
}

BackupPart part_from(const Value& value) {
  BackupPart part{.source = source_from(value.at("source")),
                  .file = value.at("file").as_text(),
                  .compression = value.at("compression").as_text(),
                  .digest = value.at("digest").as_text(),
                  .raw_bytes = value.at("raw_bytes").as_int(),
                  .stored_bytes = value.at("stored_bytes").as_int(),
                  .skipped = value.at("skipped").as_text(),
                  .note = value.at("note").as_text(),
                  .facts = value.at("facts").as_map()};
  if (part.file.empty() && !part.skipped.empty()) return part;
  if (!is_backup_name(part.file)) throw Error("\"" + part.file + "\" is no name of a backup's file");
  if (part.compression != "gzip" && part.compression != "none") throw Error("expected gzip or none");
  if (!is_sha256(part.digest)) throw Error("expected a digest, found another text");
  if (part.raw_bytes < 0 || part.stored_bytes < 0) throw Error("expected a size from 0 on");
  return part;
}

std::string seal_of(Value value) {
  value.as_map().erase("seal");
  return sha256(to_json(value));
}

}  // namespace

std::int64_t stored_bytes(const BackupRecord& record) {
  std::int64_t bytes = 0;
  for (const BackupPart& part : record.parts) bytes += part.stored_bytes;
  return bytes;
}

Value to_value(const BackupRecord& record) {
  List parts;
  for (const BackupPart& part : record.parts) parts.push_back(to_value(part));
  Value value = Map{{"version", record_version},
                    {"id", record.id},
                    {"policy", record.policy},
                    {"host", record.host},
                    {"reason", record.reason},
                    {"transaction", record.transaction},
                    {"commit", record.commit},
                    {"begun_ms", record.begun_ms},
                    {"duration_ms", record.duration_ms},
                    {"parts", std::move(parts)},
                    {"verification", Map{{"state", to_text(record.verified)},
                                         {"at_ms", record.verified_ms},
                                         {record.verified == Verified::damaged ? "what" : "how", record.verified_how}}},
                    {"same_disk", record.same_disk}};
  value["seal"] = seal_of(value);
  return value;
}

BackupRecord backup_record_from(const Value& value, const std::string& policy, const std::string& id) {
  if (!value.is_map()) throw Error("expected a backup's record, found another JSON value");
  if (value.at("version").as_int() != record_version) throw Error("it is of another version of holdfast");
  if (value.at("seal").as_text() != seal_of(value)) throw Error("it was changed after it was written");
  const Value& verification = value.at("verification");
  BackupRecord record{.id = value.at("id").as_text(),
                      .policy = value.at("policy").as_text(),
                      .host = value.at("host").as_text(),
                      .reason = value.at("reason").as_text(),
                      .transaction = value.at("transaction").as_text(),
                      .commit = value.at("commit").as_text(),
                      .begun_ms = value.at("begun_ms").as_int(),
                      .duration_ms = value.at("duration_ms").as_int(),
                      .verified = verified_from(verification.at("state").as_text()),
                      .verified_ms = verification.at("at_ms").as_int(),
                      .verified_how = verification.text_or("how", verification.text_or("what", "")),
                      .same_disk = value.at("same_disk").as_bool()};
  if (record.id != id) throw Error("it is the record of another backup, \"" + record.id + "\"");
  if (record.policy != policy) throw Error("it is the record of another policy, \"" + record.policy + "\"");
  const List& parts = value.at("parts").as_list();
  if (parts.empty() || parts.size() > max_parts) throw Error("expected 1 to 50 parts of a backup");
  for (const Value& part : parts) record.parts.push_back(part_from(part));
  return record;
}

bool is_backup_id(std::string_view text) {
  constexpr std::string_view digits = "0123456789";
  constexpr std::size_t plain = 16;
  if (text.size() < plain || text.size() > plain + 4) return false;
  const auto only_digits = [&](std::string_view part) { return part.find_first_not_of(digits) == part.npos; };
  if (!only_digits(text.substr(0, 8)) || text[8] != 'T' || !only_digits(text.substr(9, 6)) || text[15] != 'Z') {
    return false;
  }
  const std::string_view more = text.substr(plain);
  return more.empty() || (more.size() > 1 && more.front() == '-' && only_digits(more.substr(1)));
}

std::string backup_id(std::int64_t ms, int more) {
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  struct tm parts {};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return std::string(text.data(), length) + (more > 1 ? "-" + std::to_string(more) : "");
}

}  // namespace holdfast
