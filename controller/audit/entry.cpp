// Entries as they may go onto the branch: of deployments, and of whatever people said.
#include <controller/audit/record.hpp>
#include <controller/audit/short_text.hpp>
#include <controller/plan/plan_words.hpp>
#include <manifests/digest.hpp>
#include <manifests/json.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t id_digits = 32;
constexpr std::size_t max_name_bytes = 256;
constexpr std::size_t max_text_bytes = 2'000;
constexpr std::size_t most_hosts = 5'000;
constexpr std::size_t most_approvers = 32;
constexpr std::size_t max_details_bytes = 768U << 10U;
constexpr std::size_t most_events = 400;

/// Printable, on one line: nothing in it can become another trailer.
std::string line(const std::string& text, std::size_t most) {
  const std::string one = one_line(text.substr(0, most * 2));
  const auto begin = one.find_first_not_of(' ');
  if (begin == std::string::npos) return "";
  return cut(one.substr(begin, one.find_last_not_of(' ') - begin + 1), most);
}

void tidy_all(std::vector<std::string>& texts, std::size_t most) {
  if (texts.size() > most) texts.resize(most);
  for (std::string& one : texts) one = line(one, max_name_bytes);
  std::erase(texts, "");
}

std::size_t size_of(const Value& value) { return to_json(value).size(); }

/// What is long goes first: the diffs, the middle of what happened, then the changes.
Value fitting(Value details) {
  if (!details.is_map() || size_of(details) <= max_details_bytes) return details.is_map() ? details : Value();
  std::vector<std::string> left_out = {"diffs"};
  if (const Value* changes = details.find("changes"); changes != nullptr && changes->is_list()) {
    for (Value& change : details["changes"].as_list()) {
      if (change.is_map()) change.as_map().erase("content");
    }
  }
  if (const Value* events = details.find("events");
      size_of(details) > max_details_bytes && events != nullptr && events->is_list()) {
    List& list = details["events"].as_list();
    if (list.size() > most_events) {
      const auto half = static_cast<std::ptrdiff_t>(most_events / 2);
      list.erase(list.begin() + half, list.end() - half);
      left_out.emplace_back("events");
    }
  }
  for (const char* name : {"changes", "events"}) {
    if (size_of(details) <= max_details_bytes) break;
    details.as_map().erase(name);
    left_out.emplace_back(name);
  }
  if (size_of(details) > max_details_bytes) return Map{{"left_out", List{Value("all")}}};
  details["left_out"] = Value::texts(left_out);
  return details;
}

std::string kind_of(const Deployment& d) {
  if (d.outcome == Outcome::repaired) return "repair";
  if (d.outcome == Outcome::refused) return "refused";
  if (d.outcome == Outcome::superseded) return "superseded";
  return d.outcome == Outcome::deployed && d.cause != "rollback" ? "deployment" : "rollback";
}

}  // namespace

AuditEntry tidy(AuditEntry e) {
  for (std::string* one : {&e.kind, &e.environment, &e.revision, &e.outcome, &e.by, &e.rolled_back_to}) {
    *one = line(*one, max_name_bytes);
  }
  for (std::string* one : {&e.reason, &e.subject}) *one = line(*one, max_text_bytes);
  tidy_all(e.hosts, most_hosts);
  tidy_all(e.approved_by, most_approvers);
  e.at_ms = std::max<std::int64_t>(e.at_ms, 0);
  e.record = fitting(std::move(e.record));
  const bool named = e.id.size() == id_digits && e.id.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!named) e.id = sha256(e.id).substr(0, id_digits);
  return e;
}

/// What was taken back late had been deployed: that it went back is another entry, of the transaction that did it.
AuditEntry entry_of(const Deployment& deployment, Value details) {
  Deployment d = deployment;
  if (d.outcome == Outcome::rolled_back && d.reason.starts_with(late_reason)) {
    d.outcome = Outcome::deployed;
    d.reason.clear();
  }
  const bool back = d.outcome == Outcome::rolled_back || d.outcome == Outcome::superseded;
  const bool asked_back = d.cause == "rollback" && d.outcome == Outcome::deployed;
  AuditEntry entry{.kind = kind_of(d),
                   .environment = d.environment,
                   .revision = d.commit,
                   .hosts = {d.host},
                   .outcome = asked_back ? "rolled back" : std::string(to_text(d.outcome)),
                   .duration_ms = std::max<std::int64_t>(d.ended_ms - d.begun_ms, 0),
                   .by = d.requested_by,
                   .reason = d.reason,
                   .rolled_back_to = back         ? d.from_commit
                                     : asked_back ? d.commit
                                                  : "",
                   .subject = d.subject,
                   .at_ms = d.ended_ms != 0 ? d.ended_ms : d.begun_ms,
                   .record = std::move(details)};
  if (d.outcome == Outcome::repaired && entry.reason.empty()) entry.reason = entry.record.text_or("summary", "");
  entry.id = sha256("deployment\n" + d.host + "\n" + d.transaction).substr(0, id_digits);
  return entry;
}

}  // namespace holdfast
