#include <controller/audit/scribe.hpp>

#include <controller/cli/deployment_record.hpp>
#include <controller/plan/plan_words.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/failpoint.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace holdfast {

namespace {

constexpr int most_at_once = 100;
constexpr int most_meetings = 5;
constexpr std::int64_t look_every_ms = 1'000;
constexpr std::int64_t first_pause_ms = 1'000;
constexpr std::int64_t longest_pause_ms = 60'000;
constexpr int most_doublings = 6;
constexpr std::int64_t exchange_ms = 30'000;
constexpr std::int64_t settle_ms = 1'500;  // what is said right after a deployment ended belongs to it
constexpr const char* seen_note = "audit.seen";
constexpr const char* standing_note = "audit.standing";
constexpr const char* mirror_reference = "refs/holdfast/heads/holdfast/audit";

/// One writer of the audit's repository at a time, also between processes.
class AuditLock {
 public:
  explicit AuditLock(const std::string& state)
      : file_(::open((state + "/audit.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    held_ = file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) == 0;
  }
  ~AuditLock() {
    if (file_ >= 0) ::close(file_);
  }
  AuditLock(const AuditLock&) = delete;
  AuditLock& operator=(const AuditLock&) = delete;
  [[nodiscard]] bool held() const { return held_; }

 private:
  int file_;
  bool held_ = false;
};

Deadline within(std::int64_t ms) { return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms); }

}  // namespace

AuditStanding audit_standing(Store& store, AuditQueue& queue) {
  AuditStanding standing{.waiting = queue.count()};
  const auto note = store.note(standing_note);
  if (!note || note->empty()) return standing;
  const Value kept = from_json(*note);
  standing.failing_since_ms = kept.int_or("failing_since_ms", 0);
  standing.why = kept.text_or("why", "");
  return standing;
}

AuditStanding standing_of(Store& store, const std::string& state_file) {
  return audit_standing(store, *AuditQueue::open(state_file));
}

std::string seen_by(Store& store) { return store.note(seen_note).value_or(""); }

Scribe::Scribe(AuditSettings settings, Store& store, AuditQueue& queue, const Clock& clock, OnProgress on_progress)
    : settings_(std::move(settings)),
      store_(store),
      queue_(queue),
      clock_(clock),
      on_progress_(std::move(on_progress)) {}

std::int64_t Scribe::turn() {
  try {
    if (!has_work()) return look_every_ms;
    const bool all = work(within(exchange_ms), settle_ms);
    worked();
    return all ? look_every_ms : 1;
  } catch (const Error& error) {
    failed(error.what());
  }
  return std::min(first_pause_ms << std::min(failures_ - 1, most_doublings), longest_pause_ms);
}

bool Scribe::now(std::int64_t most_ms) {
  const Deadline deadline = within(most_ms);
  try {
    while (queue_.count() != 0 && std::chrono::steady_clock::now() < deadline) {
      if (!work(deadline, 0)) clock_.sleep_ms(100);
    }
    worked();
  } catch (const Error& error) {
    failed(error.what());
  }
  return queue_.count() == 0;
}

/// Something waits; or the remote's branch is not what it was, as the fleet's own mirror has it.
bool Scribe::has_work() {
  if (queue_.count() != 0) return true;
  if (!settings_.push || settings_.mirror_folder.empty()) return false;
  std::string there;
  try {
    there = BranchLog::open(settings_.mirror_folder)->commit_at(mirror_reference).value_or("");
  } catch (const Error&) {
    return false;  // it is made, or made anew
  }
  if (mirrored_ == there) return false;
  mirrored_ = there;
  return there != seen_by(store_);
}

/// False where more is to be done at once.
bool Scribe::work(Deadline deadline, std::int64_t young_ms) {
  const AuditLock lock(settings_.state);
  if (!lock.held()) return false;
  if (ledger_) {
    ledger_->refresh();
  } else {
    ledger_ =
        std::make_unique<Ledger>(settings_.state + "/audit.git", settings_.remote, settings_.author, settings_.mirror);
  }
  ledger_->has_seen(seen_by(store_));
  const std::vector<WaitingEntry> waiting = old_enough(young_ms);
  const std::vector<AuditEntry> entries = entries_of(waiting);
  if (settings_.push) {
    exchange(entries, deadline);
  } else {
    ledger_->append(entries);
  }
  std::vector<std::int64_t> done;
  for (const WaitingEntry& one : waiting) done.push_back(one.id);
  HOLDFAST_FAILPOINT("audit.kept");
  queue_.remove(done);
  HOLDFAST_FAILPOINT("audit.removed");
  return waiting.size() < most_at_once;
}

void Scribe::exchange(const std::vector<AuditEntry>& entries, Deadline deadline) {
  for (int i = 0; i < most_meetings; ++i) {
    for (const std::string& word : ledger_->meet(deadline, clock_.wall_ms())) tell(Progress::Level::bad, word);
    remember_seen();
    ledger_->append(entries);
    const bool done = ledger_->push(deadline);
    remember_seen();
    if (done) return;
  }
  throw Error("others keep writing to the branch " + std::string(audit_branch) + "; it is tried again");
}

/// What is read again after a restart: without it a rewritten branch would pass for a new one.
void Scribe::remember_seen() {
  if (seen_by(store_) != ledger_->seen()) store_.put_note(seen_note, ledger_->seen());
}

std::vector<WaitingEntry> Scribe::old_enough(std::int64_t young_ms) {
  std::vector<WaitingEntry> waiting = queue_.waiting(most_at_once);
  const std::int64_t now = clock_.wall_ms();
  const auto young = std::ranges::find_if(waiting, [&](const WaitingEntry& one) {
    return one.deployment != 0 && one.at_ms <= now && now - one.at_ms < young_ms;
  });
  waiting.erase(young, waiting.end());
  return waiting;
}

std::vector<AuditEntry> Scribe::entries_of(const std::vector<WaitingEntry>& waiting) {
  std::vector<AuditEntry> entries;
  for (const WaitingEntry& one : waiting) {
    if (one.deployment == 0) {
      entries.push_back(one.entry);
    } else if (const auto deployment = store_.deployment(one.deployment)) {
      entries.push_back(entry_of(*deployment, deployment_details(store_, *deployment)));
    }
  }
  return entries;
}

void Scribe::failed(const std::string& why) {
  ++failures_;
  if (said_ == why) return;
  if (said_.empty()) {
    store_.put_note(standing_note, to_json(Map{{"failing_since_ms", clock_.wall_ms()}, {"why", one_line(why)}}));
  }
  said_ = why;
  tell(Progress::Level::warning, why + "; what it is to tell waits, and is tried again");
}

void Scribe::worked() {
  if (failures_ != 0) tell(Progress::Level::good, "written again");
  failures_ = 0;
  said_.clear();
  if (!store_.note(standing_note).value_or("").empty()) store_.put_note(standing_note, "");
}

void Scribe::tell(Progress::Level level, const std::string& text) const {
  if (on_progress_) on_progress_({level, "", "", "audit: " + text});
}

}  // namespace holdfast
