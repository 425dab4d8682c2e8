#include <controller/audit/verify.hpp>

#include <controller/audit/record.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <map>
#include <unordered_map>

namespace holdfast {

namespace {

constexpr std::size_t most_changes = 50;
constexpr std::size_t short_id = 12;

class Verifier {
 public:
  Verifier(const BranchLog& log, std::size_t most) : log_(log), most_(most) {}

  void take(const LoggedCommit& commit) {
    if (commit.parents.size() > 1) tell(0, commit, "is a merge; entries stand in one line");
    const LoggedChange* added = nullptr;
    const std::vector<LoggedChange> changes = log_.changes(commit.id, most_changes);
    for (const LoggedChange& one : changes) {
      if (one.what != LoggedChange::What::added) {
        tell_touched(one, commit);
      } else if (added != nullptr) {
        tell(0, commit, "adds \"" + printable(one.path) + "\" beside another file; expected one record");
      } else {
        added = &one;
      }
    }
    if (added != nullptr) return take_record(commit, *added);
    if (changes.empty()) tell(0, commit, "is no entry: it adds no record (\"" + first_line(commit.message) + "\")");
  }

  TrailVerdict verdict;

 private:
  void take_record(const LoggedCommit& commit, const LoggedChange& file) {
    if (!file.plain) return tell(0, commit, "adds \"" + printable(file.path) + "\", which is no plain file");
    std::string text;
    AuditRecord record;
    try {
      text = log_.blob(file.blob, max_audit_record_bytes);
      record = record_from(text);
    } catch (const Error& error) {
      return tell(0, commit, "is no entry: \"" + printable(file.path) + "\": " + error.what());
    }
    follow(commit, record);
    compare(commit, record, text, file.path);
    numbers_.emplace(file.path, record.number);
    verdict.number = record.number;
    verdict.digest = sha256(text);
    ++verdict.entries;
  }

  /// Its place in the chain.
  void follow(const LoggedCommit& commit, const AuditRecord& record) {
    const std::int64_t expected = verdict.number + 1;
    if (record.number > expected) {
      const std::string gone = record.number == expected + 1 ? "entry " + std::to_string(expected) + " is missing"
                                                             : "entries " + std::to_string(expected) + " to " +
                                                                   std::to_string(record.number - 1) + " are missing";
      tell(record.number, commit, gone + " before it");
    } else if (record.number < expected) {
      tell(record.number, commit,
           "stands behind entry " + std::to_string(verdict.number) + "; entries were put in another order, or twice");
    } else if (record.previous != verdict.digest) {
      tell(record.number, commit,
           verdict.digest.empty() ? "is the first, but names a record before it"
                                  : "names another record before it than entry " + std::to_string(verdict.number) +
                                        " has: one of the two was changed");
    }
    const auto [known, fresh] = ids_.emplace(record.entry.id, record.number);
    if (!fresh)
      tell(record.number, commit, "has the id of entry " + std::to_string(known->second) + ": it is there twice");
  }

  /// What it says of itself.
  void compare(const LoggedCommit& commit, const AuditRecord& record, const std::string& text,
               const std::string& path) {
    if (record_text(record) != text) tell(record.number, commit, "its record is not written as holdfast writes it");
    if (record_path(record) != path) {
      tell(record.number, commit,
           "its record lies at \"" + printable(path) + "\", expected \"" + record_path(record) + "\"");
    }
    if (record_message(record) != commit.message) {
      tell(record.number, commit, "its commit's message does not say what its record says");
    }
    if (commit.author_time_s != record.entry.at_ms / 1000) {
      tell(record.number, commit, "its commit has another time than its record");
    }
  }

  void tell_touched(const LoggedChange& change, const LoggedCommit& commit) {
    const auto known = numbers_.find(change.path);
    const bool removed = change.what == LoggedChange::What::removed;
    const std::string how = removed ? "removes" : "changes";
    if (known == numbers_.end()) return tell(0, commit, how + " \"" + printable(change.path) + "\"");
    tell(known->second, commit,
         "its record was " + std::string(removed ? "removed" : "changed") + " by commit " +
             commit.id.substr(0, short_id));
    if (removed) numbers_.erase(known);
  }

  void tell(std::int64_t number, const LoggedCommit& commit, const std::string& what) {
    if (verdict.problems.size() < most_) verdict.problems.push_back({number, commit.id, what});
  }

  static std::string first_line(const std::string& text) {
    return printable(text.substr(0, std::min<std::size_t>(text.find('\n'), 200)));
  }

  const BranchLog& log_;
  std::size_t most_;
  std::unordered_map<std::string, std::int64_t> numbers_;  // of records, by path
  std::unordered_map<std::string, std::int64_t> ids_;
};

}  // namespace

TrailVerdict verify_trail(const BranchLog& log, const std::string& tip, std::size_t most) {
  std::vector<LoggedCommit> commits;
  log.walk(tip, [&](const LoggedCommit& one) {
    commits.push_back(one);
    return true;
  });
  Verifier verifier(log, most);
  for (auto one = commits.rbegin(); one != commits.rend(); ++one) verifier.take(*one);
  return verifier.verdict;
}

}  // namespace holdfast
