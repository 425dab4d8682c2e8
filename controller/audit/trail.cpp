#include <controller/audit/trail.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

constexpr std::size_t max_trailer_bytes = 512U << 10U;

/// Mirrors have the first of these, clones the second or the third.
constexpr std::array<const char*, 4> places = {"refs/own/heads/holdfast/audit", "refs/holdfast/heads/holdfast/audit",
                                               "refs/remotes/origin/holdfast/audit", "refs/heads/holdfast/audit"};

std::string one(const std::multimap<std::string, std::string>& trailers, const char* name) {
  const auto found = trailers.find(name);
  return found == trailers.end() ? "" : found->second;
}

}  // namespace

std::optional<FoundEntry> entry_at(const BranchLog& log, const std::string& commit) {
  const std::vector<LoggedChange> changes = log.changes(commit, 2);
  if (changes.size() != 1 || changes[0].what != LoggedChange::What::added) return std::nullopt;
  try {
    const std::string text = log.blob(changes[0].blob, max_audit_record_bytes);
    return FoundEntry{.commit = commit, .digest = sha256(text), .record = record_from(text)};
  } catch (const Error&) {
    return std::nullopt;
  }
}

TrailTip trail_tip(const BranchLog& log) {
  for (const char* place : places) {
    if (const auto commit = log.commit_at(place)) return {place, *commit};
  }
  throw Error(std::string("the repository has no branch \"") + audit_branch +
              "\": `git fetch origin`, or nothing was written there yet");
}

void walk_entries(const BranchLog& log, const std::string& tip, const std::function<bool(const FoundEntry&)>& visit) {
  log.walk(tip, [&](const LoggedCommit& commit) {
    const auto entry = entry_at(log, commit.id);
    return !entry || visit(*entry);
  });
}

std::multimap<std::string, std::string> trailers_of(const std::string& message) {
  std::multimap<std::string, std::string> trailers;
  const std::size_t block = message.rfind("\n\n");
  if (block == std::string::npos || message.size() - block > max_trailer_bytes) return trailers;
  for (std::size_t at = block + 2; at < message.size();) {
    const std::size_t end = std::min(message.find('\n', at), message.size());
    const std::string line = message.substr(at, end - at);
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) trailers.emplace(line.substr(0, colon), line.substr(colon + 2));
    at = end + 1;
  }
  return trailers;
}

void TrailIndex::take(const std::string& message) {
  const auto trailers = trailers_of(message);
  if (const std::string id = one(trailers, "Entry"); !id.empty()) ids_.insert(id);
  if (one(trailers, "Event") != "approval") return;
  std::set<std::string>& names = approvers_[{one(trailers, "Environment"), one(trailers, "Revision")}];
  const auto [begin, end] = trailers.equal_range("Approved-by");
  for (auto at = begin; at != end; ++at) names.insert(at->second);
  if (begin == end) names.insert(one(trailers, "Requested-by"));
  names.erase("");
}

void TrailIndex::read(const BranchLog& log, const std::string& tip) {
  if (tip == tip_) return;
  const std::string until = !tip_.empty() && log.contains(tip, tip_) ? tip_ : "";
  if (until.empty()) *this = TrailIndex();
  bool newest = false;
  log.walk(tip, [&](const LoggedCommit& commit) {
    if (commit.id == until) return false;
    take(commit.message);
    if (newest) return true;
    if (const auto entry = entry_at(log, commit.id)) {
      number_ = entry->record.number;
      digest_ = entry->digest;
      newest = true;
    }
    return true;
  });
  tip_ = tip;
}

std::vector<std::string> TrailIndex::approvers(const std::string& environment, const std::string& revision) const {
  const auto found = approvers_.find({environment, revision});
  if (found == approvers_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

}  // namespace holdfast
