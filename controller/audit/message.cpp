// What the commit of an entry says.
#include <controller/audit/record.hpp>
#include <controller/audit/short_text.hpp>

#include <array>
#include <cstdio>

namespace holdfast {

namespace {

constexpr std::size_t short_id = 12;
constexpr std::size_t max_subject_bytes = 200;
constexpr std::size_t most_named = 3;

std::string brief(const std::string& commit) { return commit.substr(0, short_id); }

/// The words between the environment and the colon: "deployed 1a2b3c4d5e6f to web1".
std::string what_happened(const AuditEntry& e, const std::string& hosts) {
  const std::string revision = e.revision.empty() ? "" : " " + brief(e.revision);
  const std::string on = hosts.empty() ? "" : " on " + hosts;
  if (e.kind == "deployment") return e.outcome + revision + (hosts.empty() ? "" : " to " + hosts);
  if (e.kind == "repair")
    return e.outcome + (hosts.empty() ? "" : " " + hosts) + (revision.empty() ? "" : " at" + revision);
  const bool superseded = e.kind == "superseded";
  if (superseded || (e.kind == "rollback" && e.outcome == "rolled back")) {
    return (superseded ? "undone" : "rolled back") + on +
           (e.rolled_back_to.empty() ? "" : " to " + brief(e.rolled_back_to)) +
           (e.revision.empty() || e.revision == e.rolled_back_to ? "" : " from" + revision) +
           (superseded ? " before it was judged" : "");
  }
  if (e.kind == "rollback") return e.outcome + revision + on;
  return (e.outcome.empty() ? e.kind : e.outcome) + revision + on + (e.by.empty() ? "" : " by " + e.by);
}

std::string hosts_text(const std::vector<std::string>& hosts) {
  std::string text;
  for (std::size_t i = 0; i < hosts.size() && i < most_named; ++i) text += (i == 0 ? "" : ", ") + hosts[i];
  return hosts.size() <= most_named ? text : text + " and " + std::to_string(hosts.size() - most_named) + " more";
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& one : texts) all += (all.empty() ? "" : ", ") + one;
  return all;
}

std::string seconds_text(std::int64_t ms) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%lld.%03llds", static_cast<long long>(ms / 1000),
                static_cast<long long>(ms % 1000));
  return text.data();
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

void add_trailer(std::string& text, const char* name, const std::string& value) {
  if (!value.empty()) text += std::string(name) + ": " + value + "\n";
}

}  // namespace

std::string subject_of(const AuditEntry& e) {
  const bool well = e.kind == "deployment" || (e.kind == "rollback" && e.revision == e.rolled_back_to && e.reason.empty());
  const std::string why = well || e.reason.empty() ? e.subject : e.reason;
  std::string text = (e.environment.empty() ? "fleet" : e.environment) + ": " + what_happened(e, hosts_text(e.hosts));
  if (!why.empty()) text += ": " + first_line(why);
  return cut(text, max_subject_bytes);
}

std::string record_message(const AuditRecord& record) {
  const AuditEntry& e = record.entry;
  std::string text = subject_of(e) + "\n\n";
  add_trailer(text, "Environment", e.environment);
  add_trailer(text, "Event", e.kind);
  add_trailer(text, "Revision", e.revision);
  add_trailer(text, "Hosts", joined(e.hosts));
  add_trailer(text, "Outcome", e.outcome);
  if (e.duration_ms >= 0) add_trailer(text, "Duration", seconds_text(e.duration_ms));
  for (const std::string& one : e.approved_by) add_trailer(text, "Approved-by", one);
  add_trailer(text, "Reason", first_line(e.reason));
  add_trailer(text, "Rolled-back-to", e.rolled_back_to);
  add_trailer(text, "Requested-by", e.by);
  add_trailer(text, "Transaction", e.record.is_map() ? e.record.text_or("transaction", "") : "");
  add_trailer(text, "Number", std::to_string(record.number));
  add_trailer(text, "Entry", e.id);
  return text;
}

}  // namespace holdfast
