#pragma once

#include <controller/audit/record.hpp>
#include <controller/git/branch_log.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace holdfast {

/// An entry as it was found on a branch.
struct FoundEntry {
  std::string commit{};
  std::string digest{};  // of the record file
  AuditRecord record{};
};

/// The entry that a commit adds; nullopt where it is none: it adds no single file that is a record.
std::optional<FoundEntry> entry_at(const BranchLog& log, const std::string& commit);

/// Where the entries of a repository are: the reference's full name and its commit, of a mirror or a clone, the
/// remote's branch before a local one. Throws Error where there is none.
struct TrailTip {
  std::string reference{};
  std::string commit{};
};
TrailTip trail_tip(const BranchLog& log);

/// Entries, the newest first, until `visit` says false; commits that are no entries are passed over.
void walk_entries(const BranchLog& log, const std::string& tip, const std::function<bool(const FoundEntry&)>& visit);

/// What has to be known of a branch to write behind it, kept up to date with little reading.
class TrailIndex {
 public:
  /// Reads what came since; all of it where `tip` does not follow from what was read before.
  void read(const BranchLog& log, const std::string& tip);

  [[nodiscard]] const std::string& tip() const { return tip_; }
  [[nodiscard]] std::int64_t number() const { return number_; }        // of the newest entry; 0: there is none
  [[nodiscard]] const std::string& digest() const { return digest_; }  // of its record
  [[nodiscard]] bool has(const std::string& id) const { return ids_.contains(id); }
  /// Who approved a revision for an environment.
  [[nodiscard]] std::vector<std::string> approvers(const std::string& environment, const std::string& revision) const;

 private:
  void take(const std::string& message);

  std::string tip_{};
  std::int64_t number_ = 0;
  std::string digest_{};
  std::set<std::string> ids_{};
  std::map<std::pair<std::string, std::string>, std::set<std::string>> approvers_{};
};

/// What a message's trailers say, by name.
std::multimap<std::string, std::string> trailers_of(const std::string& message);

}  // namespace holdfast
