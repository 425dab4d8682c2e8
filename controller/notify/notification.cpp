#include <controller/notify/notification.hpp>

#include <controller/plan/times.hpp>
#include <manifests/problem.hpp>
#include <manifests/text.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t most_hosts = 50;
constexpr std::size_t most_named = 5;  // hosts in a title
constexpr std::size_t most_journal = 20;
constexpr std::size_t most_line = 300;
constexpr std::size_t most_reason = 2000;
constexpr std::size_t most_in_title = 240;
constexpr std::size_t short_id = 12;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string in_one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  std::ranges::replace(text, '\t', ' ');
  return text;
}

/// "web1", "web1 and web2", "web1, web2, web3, web4, web5 and 7 more".
std::string names_of(const Notification& one) {
  const std::size_t named = std::min(one.hosts.size(), most_named);
  const auto all = static_cast<std::size_t>(std::max<std::int64_t>(one.host_count, 0));
  std::string text;
  for (std::size_t i = 0; i < named; ++i) {
    const bool last = i + 1 == named && all <= named;
    if (i != 0) text += last ? " and " : ", ";
    text += one.hosts[i];
  }
  if (all > named) text += " and " + std::to_string(all - named) + " more";
  return text;
}

std::string count_of(const Notification& one) {
  return std::to_string(one.host_count) + (one.host_count == 1 ? " host" : " hosts");
}

std::string on_hosts(const Notification& one) { return one.hosts.empty() ? "" : " on " + names_of(one); }

std::string because(const Notification& one) {
  return one.reason.empty() ? "" : ": " + cut_text(first_line(one.reason), most_in_title);
}

std::string what_happened(const Notification& one) {
  const std::string revision = one.revision.substr(0, short_id);
  if (one.event == "deploying") return "deploying " + revision;
  if (one.event == "waiting") return revision + " waits" + on_hosts(one) + because(one);
  if (one.event == "deployed") {
    return "deployed " + revision + on_hosts(one) + (one.took_ms > 0 ? " in " + duration_text(one.took_ms) : "") +
           because(one);
  }
  if (one.event == "current") return revision + " changes nothing on " + count_of(one);
  if (one.event == "overtaken") return revision + " was overtaken" + because(one);
  if (one.event == "rolled-back") return "rolled back " + revision + on_hosts(one) + ", held" + because(one);
  if (one.event == "rollback-failed") return "ROLLBACK FAILED of " + revision + on_hosts(one) + because(one);
  if (one.event == "refused")
    return "refused" + (revision.empty() ? "" : " " + revision) + on_hosts(one) + because(one);
  if (one.event == "repaired") return "repaired drift" + on_hosts(one) + because(one);
  if (one.event == "contended") return "contended" + on_hosts(one) + because(one);
  if (one.event == "drifted") return "drifted" + on_hosts(one) + because(one);
  if (one.event == "unreachable") return "out of reach: " + names_of(one) + because(one);
  if (one.event == "failed") return "failed" + on_hosts(one) + because(one);
  if (one.event == "recovered") return "well again: " + names_of(one);
  if (one.event == "reachable") return "in reach again: " + names_of(one);
  return one.reason.empty() ? one.event : cut_text(first_line(one.reason), most_in_title);
}

}  // namespace

std::string cut_text(const std::string& text, std::size_t most) {
  static const std::string mark = "…";
  if (text.size() <= most) return text;
  const std::size_t room = most > mark.size() ? most - mark.size() : 0;
  std::size_t end = 0;
  for (std::size_t next = 0; next <= room; end = next) {
    const std::size_t bytes = code_point_at(text, next).bytes;
    next += bytes == 0 ? 1 : bytes;
    if (next > room) break;
  }
  return text.substr(0, end) + mark;
}

Notification tidy(Notification one) {
  for (std::string* text : {&one.environment, &one.revision, &one.subject, &one.author}) {
    *text = cut_text(in_one_line(printable(*text)), most_line);
  }
  one.reason = cut_text(printable(one.reason), most_reason);
  if (one.hosts.size() > most_hosts) one.hosts.resize(most_hosts);
  for (std::string& host : one.hosts) host = cut_text(in_one_line(printable(host)), most_line);
  if (one.journal.size() > most_journal) {
    one.journal.erase(one.journal.begin(), one.journal.end() - static_cast<std::ptrdiff_t>(most_journal));
  }
  for (std::string& line : one.journal) line = cut_text(in_one_line(printable(line)), most_line);
  return one;
}

Value to_value(const Notification& one) {
  return Map{{"kind", "notification"},
             {"version", 1},
             {"id", one.id},
             {"event", one.event},
             {"at_ms", one.at_ms},
             {"environment", one.environment},
             {"revision", one.revision},
             {"subject", one.subject},
             {"author", one.author},
             {"hosts", Value::texts(one.hosts)},
             {"host_count", one.host_count},
             {"took_ms", one.took_ms},
             {"reason", one.reason},
             {"journal", Value::texts(one.journal)},
             {"title", title_of(one)}};
}

Notification notification_from(const Value& record) {
  return {.id = record.text_or("id", ""),
          .event = record.text_or("event", ""),
          .at_ms = record.int_or("at_ms", 0),
          .environment = record.text_or("environment", ""),
          .revision = record.text_or("revision", ""),
          .subject = record.text_or("subject", ""),
          .author = record.text_or("author", ""),
          .hosts = record.at("hosts").as_texts(),
          .host_count = record.int_or("host_count", 0),
          .took_ms = record.int_or("took_ms", 0),
          .reason = record.text_or("reason", ""),
          .journal = record.at("journal").as_texts()};
}

std::string title_of(const Notification& one) {
  return in_one_line((one.environment.empty() ? "holdfast: " : one.environment + ": ") + what_happened(one));
}

std::vector<std::string> details_of(const Notification& one) {
  std::vector<std::string> lines;
  if (!one.subject.empty()) lines.push_back(one.subject + (one.author.empty() ? "" : " (" + one.author + ")"));
  const std::size_t rest = one.reason.find('\n');
  if (rest != std::string::npos || one.reason.size() > most_in_title) lines.push_back(one.reason);
  lines.insert(lines.end(), one.journal.begin(), one.journal.end());
  return lines;
}

bool is_trouble(const Notification& one) {
  static const std::vector<std::string> bad = {"rolled-back", "rollback-failed", "refused", "contended",
                                               "unreachable", "dropped",         "drifted", "failed"};
  return std::ranges::find(bad, one.event) != bad.end();
}

}  // namespace holdfast
