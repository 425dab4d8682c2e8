#include <controller/audit/trail_query.hpp>

#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace holdfast {

namespace {

constexpr std::size_t least_digits = 6;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(", ", at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  return parts;
}

std::optional<std::int64_t> number_in(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

bool is_digits(const std::string& text) {
  return text.size() >= least_digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// The text behind what happened: the commit's subject, or why.
std::string tail_of(const std::string& subject) {
  std::size_t at = subject.find(": ");
  if (at != std::string::npos) at = subject.find(": ", at + 2);
  return at == std::string::npos ? "" : subject.substr(at + 2);
}

bool changes_revision(const AuditEntry& e) {
  return e.kind == "deployment" || e.kind == "rollback" || e.kind == "superseded";
}

bool concerns(const TrailLine& line, const std::string& environment, const std::string& host) {
  const std::vector<std::string>& hosts = line.entry.hosts;
  return line.entry.environment == environment && (hosts.empty() || std::ranges::find(hosts, host) != hosts.end());
}

/// The revision that a host had after an entry.
std::string revision_after(const AuditEntry& e) { return e.rolled_back_to.empty() ? e.revision : e.rolled_back_to; }

/// What `lines`, the oldest first and all of one host and environment, come to.
Whereabouts follow(const std::string& environment, const std::vector<TrailLine>& lines) {
  Whereabouts at{.environment = environment};
  for (const TrailLine& line : lines) {
    const AuditEntry& e = line.entry;
    if (!changes_revision(e)) {
      at.besides.push_back(line);
      if (e.kind == "repair" && at.revision.empty()) at.revision = e.revision;  // the branch is younger than that
      continue;
    }
    if (e.kind == "rollback" && e.outcome == "rollback failed") {
      at.uncertain = true;
      at.besides.push_back(line);
      continue;
    }
    at.uncertain = false;
    const bool failed = e.kind == "superseded" || (e.kind == "rollback" && e.revision != e.rolled_back_to);
    if (failed && e.rolled_back_to == at.revision) {  // it was tried, and the host has what it had
      at.besides.push_back(line);
      continue;
    }
    at = {.environment = environment,
          .revision = failed ? e.rolled_back_to : revision_after(e),
          .subject = failed ? "" : tail_of(e.subject),
          .since_ms = e.at_ms,
          .by = line,
          .approved_by = failed ? std::vector<std::string>{} : e.approved_by};
  }
  return at;
}

}  // namespace

std::optional<TrailLine> trail_line(const LoggedCommit& commit) {
  const auto trailers = trailers_of(commit.message);
  const auto text = [&trailers](const char* name) {
    const auto found = trailers.find(name);
    return found == trailers.end() ? std::string() : printable(found->second);
  };
  const auto number = number_in(text("Number"));
  if (!number || text("Entry").empty()) return std::nullopt;
  TrailLine line{.number = *number, .commit = commit.id};
  AuditEntry& e = line.entry;
  e.kind = text("Event");
  e.environment = text("Environment");
  e.revision = text("Revision");
  e.hosts = split(text("Hosts"));
  e.outcome = text("Outcome");
  if (const std::string took = text("Duration"); !took.empty()) {
    e.duration_ms = static_cast<std::int64_t>(std::llround(std::strtod(took.c_str(), nullptr) * 1000));
  }
  e.by = text("Requested-by");
  const auto [begin, end] = trailers.equal_range("Approved-by");
  for (auto one = begin; one != end; ++one) e.approved_by.push_back(printable(one->second));
  e.reason = text("Reason");
  e.rolled_back_to = text("Rolled-back-to");
  e.subject = printable(commit.message.substr(0, commit.message.find('\n')));
  e.at_ms = commit.author_time_s * 1000;
  e.id = text("Entry");
  return line;
}

std::vector<TrailLine> trail_lines(const BranchLog& log, const std::string& tip, const TrailFilter& filter) {
  std::vector<TrailLine> lines;
  log.walk(tip, [&](const LoggedCommit& commit) {
    auto line = trail_line(commit);
    if (!line) return true;
    const std::vector<std::string>& hosts = line->entry.hosts;
    const bool environment = filter.environment.empty() || line->entry.environment == filter.environment;
    const bool host = filter.host.empty() || std::ranges::find(hosts, filter.host) != hosts.end();
    if (environment && host) lines.push_back(std::move(*line));
    return lines.size() < filter.most;
  });
  return lines;
}

FoundEntry find_entry(const BranchLog& log, const std::string& tip, const std::string& named) {
  const auto number = number_in(named);
  std::vector<std::string> commits;
  log.walk(tip, [&](const LoggedCommit& commit) {
    const auto line = trail_line(commit);
    if (!line) return true;
    const bool by_number = number && line->number == *number;
    const bool by_id = is_digits(named) && (line->entry.id.starts_with(named) || commit.id.starts_with(named));
    if (by_number || by_id) commits.push_back(commit.id);
    return !by_number;
  });
  if (commits.empty()) {
    throw Error("there is no entry \"" + printable(named) +
                "\": expected its number, or 6 or more digits of its id or its commit's, as `history` tells them");
  }
  if (commits.size() > 1 && !number)
    throw Error("\"" + printable(named) + "\" could be several entries; give more digits");
  const auto found = entry_at(log, commits.back());
  if (!found) throw Error("the record of commit " + commits.back() + " can't be read: see `holdfast audit verify`");
  return *found;
}

std::vector<Whereabouts> where_was(const std::vector<TrailLine>& lines, const std::string& host, std::int64_t at_ms) {
  std::vector<std::string> environments;
  for (const TrailLine& line : lines) {
    const std::vector<std::string>& hosts = line.entry.hosts;
    if (std::ranges::find(hosts, host) == hosts.end()) continue;
    if (std::ranges::find(environments, line.entry.environment) == environments.end())
      environments.push_back(line.entry.environment);
  }
  std::ranges::sort(environments);
  std::vector<Whereabouts> found;
  for (const std::string& environment : environments) {
    std::vector<TrailLine> until;
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
      if (line->entry.at_ms <= at_ms && concerns(*line, environment, host)) until.push_back(*line);
    }
    std::ranges::stable_sort(until, {}, [](const TrailLine& one) { return one.entry.at_ms; });
    const bool there = std::ranges::any_of(until, [](const TrailLine& one) { return !one.entry.hosts.empty(); });
    if (there) found.push_back(follow(environment, until));
  }
  return found;
}

}  // namespace holdfast
