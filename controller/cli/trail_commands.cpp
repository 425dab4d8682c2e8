// `history`, `show` and `where`, told from the audit branch alone.
#include <controller/cli/audit_commands.hpp>

#include <controller/cli/deployment_record.hpp>
#include <controller/cli/table.hpp>
#include <controller/plan/plan_words.hpp>
#include <controller/plan/times.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <algorithm>
#include <limits>
#include <ostream>

namespace holdfast {

namespace {

constexpr int record_version = 1;
constexpr std::size_t short_id = 12;

std::string brief(const std::string& commit) { return commit.empty() ? "-" : commit.substr(0, short_id); }

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& one : texts) all += (all.empty() ? "" : ", ") + one;
  return all;
}

Value line_record(const TrailLine& line) {
  const AuditEntry& e = line.entry;
  return Map{{"number", line.number},  {"commit", line.commit},
             {"entry", e.id},          {"event", e.kind},
             {"at_ms", e.at_ms},       {"environment", e.environment},
             {"revision", e.revision}, {"hosts", Value::texts(e.hosts)},
             {"outcome", e.outcome},   {"duration_ms", e.duration_ms},
             {"requested_by", e.by},   {"approved_by", Value::texts(e.approved_by)},
             {"reason", e.reason},     {"rolled_back_to", e.rolled_back_to},
             {"subject", e.subject}};
}

void print_facts(const FoundEntry& found, const LookOptions& options, std::ostream& out) {
  const AuditEntry& e = found.record.entry;
  const auto fact = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out << "  " << name << one_line(value) << "\n";
  };
  out << "entry " << found.record.number << "  "
      << styled(look_style(e.outcome), one_line(e.outcome.empty() ? e.kind : e.outcome), options.terminal.colour)
      << "\n";
  fact("event        ", e.kind);
  fact("environment  ", e.environment);
  fact("hosts        ", joined(e.hosts));
  fact("revision     ", e.revision);
  fact("             ", e.subject);
  fact("back to      ", e.rolled_back_to);
  fact("by           ", e.by);
  fact("approved by  ", joined(e.approved_by));
  fact("why          ", e.reason);
  fact("when         ", utc_text(e.at_ms));
  if (e.duration_ms >= 0) fact("took         ", duration_text(e.duration_ms));
  if (e.record.is_map()) fact("transaction  ", e.record.text_or("transaction", ""));
  fact("id           ", e.id);
  fact("commit       ", found.commit);
}

const List& list_in(const Value& details, std::string_view name) {
  static const List none;
  const Value* found = details.is_map() ? details.find(name) : nullptr;
  return found != nullptr && found->is_list() ? found->as_list() : none;
}

/// What is shown of a record comes from whoever could push: members of another form are passed over.
template <typename Print>
void print_list(const Value& details, const char* name, const char* title, std::ostream& out, Print print) {
  bool first = true;
  for (const Value& one : list_in(details, name)) {
    if (!one.is_map()) continue;
    try {
      const std::string line = print(one);
      if (std::exchange(first, false)) out << "\n" << title << "\n";
      out << "  " << line << "\n";
    } catch (const Error&) {
      continue;
    }
  }
}

std::string change_line(const Value& change) {
  std::string line = one_line(change.text_or("change", "") + "  " + change.text_or("id", ""));
  if (const std::string file = change.text_or("file", ""); !file.empty()) {
    line += "  (" + one_line(change.text_or("resource", "") + " " + file) + ":" +
            std::to_string(change.int_or("line", 0)) + ")";
  }
  if (const Value* outcome = change.find("outcome"); outcome != nullptr && outcome->is_map()) {
    line += "  " + one_line(outcome->text_or("state", "") + " " + outcome->text_or("detail", ""));
  }
  return line;
}

std::string check_line(const Value& check) {
  const std::string detail = one_line(check.text_or("detail", ""));
  return std::string(check.bool_or("passed", false) ? "passed  " : "failed  ") + one_line(check.text_or("name", "")) +
         (detail.empty() ? "" : ": " + detail);
}

std::string event_line(const Value& event) {
  const std::int64_t at_ms = std::clamp<std::int64_t>(event.int_or("at_ms", 0), 1, 253'402'300'799'000);
  return utc_text(at_ms).substr(11, 8) + "   " + one_line(event.text_or("text", ""));
}

void print_whereabouts(const Whereabouts& at, const std::string& host, const LookOptions& options, std::ostream& out) {
  out << at.environment << "/" << host << "  ";
  if (at.revision.empty()) {
    out << "no revision that was seen healthy\n";
  } else {
    out << styled(Style::bold, at.revision, options.terminal.colour) << (at.subject.empty() ? "" : "  " + at.subject)
        << "\n";
  }
  if (at.uncertain) {
    out << "  " << styled(Style::bad, "uncertain", options.terminal.colour) << ": a rollback had failed, see below\n";
  }
  if (at.by) {
    out << "  since        " << utc_text(at.since_ms) << "\n"
        << "  by entry     " << at.by->number << " (commit " << brief(at.by->commit) << "): " << at.by->entry.subject
        << "\n"
        << "  asked by     " << (at.by->entry.by.empty() ? "-" : at.by->entry.by) << "\n";
  } else if (!at.revision.empty()) {
    out << "  since        before the first entry of the branch\n";
  }
  out << "  approved by  " << (at.approved_by.empty() ? "nobody that the branch knows of" : joined(at.approved_by))
      << "\n";
  for (const TrailLine& line : at.besides) {
    out << "  besides      " << utc_text(line.entry.at_ms) << "  entry " << line.number << ": " << line.entry.subject
        << "\n";
  }
}

Value whereabouts_record(const Whereabouts& at, const std::string& host) {
  List besides;
  for (const TrailLine& line : at.besides) besides.push_back(line_record(line));
  Map record{{"environment", at.environment}, {"host", host},
             {"revision", at.revision},       {"since_ms", at.since_ms},
             {"uncertain", at.uncertain},     {"approved_by", Value::texts(at.approved_by)},
             {"besides", std::move(besides)}};
  if (at.by) record["by"] = line_record(*at.by);
  return record;
}

struct Asked {
  std::string host{};
  std::int64_t at_ms = std::numeric_limits<std::int64_t>::max();
};

Asked parse_asked(const std::string& text) {
  const std::size_t sign = text.rfind('@');
  if (sign == std::string::npos) return {.host = text};
  const auto at_ms = parse_time(text.substr(sign + 1));
  if (!at_ms) {
    throw Error(
        "\"" + one_line(text.substr(sign + 1)) +
        "\" is no time: expected HOST@TIME with a time such as 2026-11-21T14:03:09Z, 2026-11-21T15:03+01:00, or "
        "a date, whose begin is meant (UTC)");
  }
  return {.host = text.substr(0, sign), .at_ms = *at_ms};
}

/// Why there is no answer.
std::string unknown_text(const std::vector<TrailLine>& lines, const Asked& asked) {
  const auto known = std::ranges::find_if(lines.rbegin(), lines.rend(), [&](const TrailLine& line) {
    return std::ranges::find(line.entry.hosts, asked.host) != line.entry.hosts.end();
  });
  if (known == lines.rend()) {
    return "the branch " + std::string(audit_branch) + " has no entry of a host \"" + one_line(asked.host) + "\"";
  }
  return utc_text(asked.at_ms) + " is before the first entry of host \"" + asked.host + "\", which is of " +
         utc_text(known->entry.at_ms);
}

}  // namespace

int trail_history_command(const Trail& trail, const TrailFilter& filter, const LookOptions& options,
                          std::ostream& out) {
  const std::vector<TrailLine> lines = trail_lines(*trail.log, trail.tip.commit, filter);
  if (options.json) {
    List records;
    for (const TrailLine& line : lines) records.push_back(line_record(line));
    out << to_pretty_json(Map{{"kind", "audit-history"}, {"version", record_version}, {"entries", std::move(records)}})
        << "\n";
    return 0;
  }
  Table table{.headers = {"ENTRY", "WHEN", "OUTCOME", "TOOK", "BY", "WHAT"}};
  for (const TrailLine& line : lines) {
    const AuditEntry& e = line.entry;
    const std::string outcome = e.outcome.empty() ? e.kind : e.outcome;
    table.rows.push_back({{std::to_string(line.number)},
                          {utc_text(e.at_ms)},
                          {outcome, look_style(outcome)},
                          {e.duration_ms < 0 ? "-" : duration_text(e.duration_ms)},
                          {e.by},
                          {e.subject}});
  }
  if (table.rows.empty()) out << "no entry\n";
  out << render_table(table, options.terminal);
  return 0;
}

int trail_show_command(const Trail& trail, const std::string& named, const LookOptions& options, std::ostream& out) {
  const FoundEntry found = find_entry(*trail.log, trail.tip.commit, named);
  if (options.json) {
    out << record_text(found.record);
    return 0;
  }
  print_facts(found, options, out);
  const Value& details = found.record.entry.record;
  print_list(details, "changes", "what was planned, and came of it", out, change_line);
  print_list(details, "checks", "checks of it", out, check_line);
  print_list(details, "events", "what happened", out, event_line);
  return 0;
}

int where_command(const Trail& trail, const std::string& asked_text, const LookOptions& options, std::ostream& out) {
  const Asked asked = parse_asked(asked_text);
  const std::vector<TrailLine> lines = trail_lines(*trail.log, trail.tip.commit, {});
  const std::vector<Whereabouts> found = where_was(lines, asked.host, asked.at_ms);
  if (found.empty()) throw Error(unknown_text(lines, asked));
  if (options.json) {
    List records;
    for (const Whereabouts& one : found) records.push_back(whereabouts_record(one, asked.host));
    out << to_pretty_json(Map{{"kind", "where"}, {"version", record_version}, {"environments", std::move(records)}})
        << "\n";
    return 0;
  }
  for (const Whereabouts& one : found) print_whereabouts(one, asked.host, options, out);
  return 0;
}

}  // namespace holdfast
