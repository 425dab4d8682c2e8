#include <controller/audit/ledger.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>

#include <algorithm>
#include <utility>

namespace holdfast {

namespace {

constexpr const char* own_reference = "refs/own/heads/holdfast/audit";
constexpr std::size_t short_id = 12;
constexpr std::size_t id_digits = 32;

std::string brief(const std::string& commit) { return commit.substr(0, short_id); }

std::string remote_branch(const std::string& name) { return "refs/heads/" + name; }

/// The entry about the branch itself. What happened to it gives its id, so that it is told once, whoever tells it.
AuditEntry note_of(const std::string& outcome, const std::string& what, const std::string& seen,
                   const std::string& theirs, std::int64_t now_ms) {
  return {.kind = "audit",
          .outcome = outcome,
          .by = "holdfast run",
          .reason = what,
          .at_ms = now_ms,
          .record = Map{{"seen", seen}, {"found", theirs}},
          .id = sha256("audit\n" + seen + "\n" + theirs).substr(0, id_digits)};
}

}  // namespace

Ledger::Ledger(const std::string& folder, const Remote& remote, Author author, MirrorOptions options)
    : author_(std::move(author)) {
  options.only_branch = audit_branch;
  mirror_ = Mirror::open(folder, remote, options);
  refresh();
}

void Ledger::refresh() {
  log_ = BranchLog::open(mirror_->folder());
  const auto own = kept(*mirror_, own_reference);
  if (!own) {
    index_ = TrailIndex();
    return;
  }
  try {
    index_.read(*log_, *own);
  } catch (const Error&) {  // cut short by a power cut: what the remote lacks of it still waits in the queue
    index_ = TrailIndex();
    forget(*mirror_, own_reference);
  }
}

void Ledger::append(const std::vector<AuditEntry>& entries) {
  for (const AuditEntry& one : entries) write(one);
  if (begun()) keep(*mirror_, own_reference, index_.tip());
  HOLDFAST_FAILPOINT("audit.written");
  pack_written(*mirror_);
}

void Ledger::write(AuditEntry entry) {
  entry = tidy(std::move(entry));
  if (index_.has(entry.id)) return;
  const bool takes_over = entry.kind == "deployment" || entry.kind == "rollback";
  if (takes_over && entry.approved_by.empty()) entry.approved_by = index_.approvers(entry.environment, entry.revision);
  const AuditRecord record{index_.number() + 1, index_.digest(), std::move(entry)};
  Author author = author_;
  author.time_s = record.entry.at_ms / 1000;
  const std::string tip =
      write_commit(*mirror_, index_.tip(), index_.tip(),
                   {{.path = record_path(record), .content = record_text(record)}}, record_message(record), author);
  index_.read(*log_, tip);
}

std::vector<std::string> Ledger::meet(Deadline deadline, std::int64_t now_ms) {
  mirror_->fetch(deadline);
  log_ = BranchLog::open(mirror_->folder());  // sees what came
  const auto theirs = mirror_->branch(audit_branch);
  std::vector<std::string> words;
  if (theirs) {
    words = take_over(*theirs, now_ms, deadline);
  } else if (!seen_.empty()) {
    const std::string what = std::string("the branch ") + audit_branch +
                             " was deleted on the remote, which had it at " + brief(seen_) +
                             "; it is written there again";
    if (begun()) append({note_of("restored", what, seen_, "", now_ms)});
    words.push_back(what);
  }
  seen_ = theirs.value_or("");
  return words;
}

std::vector<std::string> Ledger::take_over(const std::string& theirs, std::int64_t now_ms, Deadline deadline) {
  const bool rewritten = !seen_.empty() && !log_->contains(theirs, seen_);
  const std::string own = index_.tip();
  if (!rewritten) {
    if (own.empty() || log_->contains(theirs, own)) {
      follow(theirs);
    } else if (!log_->contains(own, theirs)) {
      write_again_behind(theirs, {});
    }
    return {};
  }
  const std::string begin = std::string("the branch ") + audit_branch + " was rewritten on the remote: it was at " +
                            brief(seen_) + " and is at " + brief(theirs) + ", which does not follow from it; ";
  if (!own.empty() && log_->contains(own, theirs)) {
    const std::string what = begin + "its newest entries had been cut off, and are written there again";
    append({note_of("restored", what, seen_, theirs, now_ms)});
    return {what};
  }
  std::string what = begin + "what this controller wrote is written there again";
  if (!own.empty() && !log_->contains(theirs, own)) {
    const std::string kept_as = std::string(audit_branch) + "-before-" + brief(own);
    (void)holdfast::push(*mirror_, {{own, remote_branch(kept_as)}}, deadline);  // there already: the better
    what += ", and the branch as it was is kept as " + kept_as;
  }
  write_again_behind(theirs, {note_of("rewritten", what, seen_, theirs, now_ms)});
  return {what};
}

void Ledger::follow(const std::string& tip) {
  index_.read(*log_, tip);
  keep(*mirror_, own_reference, tip);
}

void Ledger::write_again_behind(const std::string& theirs, const std::vector<AuditEntry>& first) {
  TrailIndex index;
  index.read(*log_, theirs);
  const std::vector<AuditEntry> ours = entries_not_in(index);
  index_ = std::move(index);
  for (const AuditEntry& one : first) write(one);
  append(ours);  // only now the reference moves: who is killed before begins anew
}

std::vector<AuditEntry> Ledger::entries_not_in(const TrailIndex& theirs) const {
  std::vector<AuditEntry> ours;
  if (!begun()) return ours;
  walk_entries(*log_, index_.tip(), [&](const FoundEntry& one) {
    if (log_->contains(theirs.tip(), one.commit)) return false;
    if (!theirs.has(one.record.entry.id)) ours.push_back(one.record.entry);
    return true;
  });
  std::ranges::reverse(ours);
  return ours;
}

bool Ledger::push(Deadline deadline) {
  if (!begun() || seen_ == index_.tip()) return true;
  HOLDFAST_FAILPOINT("audit.push");
  const Pushed pushed = holdfast::push(*mirror_, {{index_.tip(), remote_branch(audit_branch)}}, deadline);
  HOLDFAST_FAILPOINT("audit.pushed");
  if (pushed.rejected.empty()) {
    seen_ = index_.tip();
    return true;
  }
  mirror_->fetch(deadline);
  if (mirror_->branch(audit_branch).value_or("") != seen_) return false;
  throw Error("the remote does not take the branch " + std::string(audit_branch) + ": " + pushed.rejected[0].reason);
}

}  // namespace holdfast
