#pragma once

#include <controller/audit/trail.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// An entry as its commit's message tells it: what a list needs, without reading the record.
struct TrailLine {
  std::int64_t number = 0;
  std::string commit{};
  AuditEntry entry{};  // without its record; times in whole seconds
};

/// nullopt for a message that is none of an entry.
std::optional<TrailLine> trail_line(const LoggedCommit& commit);

struct TrailFilter {
  std::string environment{};  // empty: all
  std::string host{};         // empty: all
  std::size_t most = 1'000'000;
};
/// The newest first.
std::vector<TrailLine> trail_lines(const BranchLog& log, const std::string& tip, const TrailFilter& filter);

/// The entry that somebody means by its number, by the begin of its id or by the begin of its commit's (6 digits or
/// more). Throws Error where there is none, or more than one.
FoundEntry find_entry(const BranchLog& log, const std::string& tip, const std::string& named);

/// What a host had at a time in one environment.
struct Whereabouts {
  std::string environment{};
  std::string revision{};         // empty: nothing verified was there
  std::string subject{};          // of that revision's commit
  std::int64_t since_ms = 0;      // when the host got it
  std::optional<TrailLine> by{};  // the entry that made it so; none where it is older than the branch
  std::vector<std::string> approved_by{};
  bool uncertain = false;            // a rollback had failed: between this and another revision
  std::vector<TrailLine> besides{};  // what was done by hand or put right while it was there, the oldest first
};

/// From all entries, the newest first. Empty where the host has none, or none at that time.
std::vector<Whereabouts> where_was(const std::vector<TrailLine>& lines, const std::string& host, std::int64_t at_ms);

/// Milliseconds since the epoch of "2026-11-21T14:03:09Z", with an offset or parts of a second too, or of a date: the
/// begin of that day, UTC. nullopt for another text.
std::optional<std::int64_t> parse_time(const std::string& text);

}  // namespace holdfast
