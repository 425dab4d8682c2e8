#include <reconcilers/backup/backup_run.hpp>

#include <reconcilers/backup/engine.hpp>
#include <reconcilers/backup/retention.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/primitives/place.hpp>

#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

constexpr std::size_t kept_failures = 20;
constexpr std::size_t longest_error = 2000;

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

/// What the host was last confirmed at: what the backed up data belongs to.
std::string live_commit(const System& system) {
  try {
    const auto text = read_state_file(system.root() + state_folder + "/generation.json");
    return text ? from_json(*text).text_or("commit", "") : "";
  } catch (const Error&) {
    return {};
  }
}

/// One run from its lock to its end.
class Run {
 public:
  Run(System& system, const BackupPolicy& policy, const BackupRequest& request, const TellBackup& tell)
      : system_(system),
        policy_(policy),
        request_(request),
        tell_(tell),
        shelf_(system.root(), policy),
        memory_(system.root(), policy.name),
        begun_(std::chrono::steady_clock::now()) {}

  BackupOutcome operator()() {
    memory_.make_folder();
    const bool waits = request_.reason == "before-deploy";
    const auto lock = FileLock::take(memory_.lock_path(), std::chrono::milliseconds(waits ? policy_.timeout_ms : 0));
    if (!lock) return {.error = "another backup of \"" + policy_.name + "\" is being made"};
    record_.begun_ms = system_.now_ns() / 1'000'000;
    BackupOutcome outcome = attempt();
    if (outcome.ok()) {
      if (outcome.record) finish(outcome);
    } else {
      remember_failure(outcome.error);
    }
    return outcome;
  }

 private:
  BackupOutcome attempt() {
    try {
      made_ = shelf_.first_missing();
      shelf_.open();
      const BackupGuard guard(shelf_.folder(), policy_.free_percent, policy_.free_bytes,
                              std::chrono::milliseconds(policy_.timeout_ms));
      return take(guard);
    } catch (const MissingSource& missing) {
      return {.error = missing.what};
    } catch (const Error& error) {
      return {.error = error.what()};
    }
  }

  BackupOutcome take(const BackupGuard& guard) {
    name();
    const std::string folder = shelf_.begin(record_.id);
    const std::string scratch = shelf_.scratch();
    try {
      const BackupWork work{system_, guard, folder, scratch, policy_.compress};
      const std::vector<std::string> missing = look(work);
      take_parts(work, missing);
      if (std::ranges::all_of(record_.parts, [](const BackupPart& part) { return part.file.empty(); })) {
        shelf_.open();
        shelf_.take_away(made_);
        return {.note = "there is nothing to save yet: " + record_.parts.front().skipped};
      }
      tell_("reading it back");
      record_.verified_how = verify_parts(system_, guard, record_.parts, folder, scratch);
      put_up();
    } catch (...) {
      clean_up();
      throw;
    }
    clean_up();
    return {.record = record_};
  }

  void name() {
    record_.policy = policy_.name;
    record_.host = host_name();
    record_.reason = request_.reason;
    record_.transaction = request_.transaction;
    record_.commit = live_commit(system_);
    for (int more = 1;; ++more) {
      record_.id = backup_id(record_.begun_ms, more);
      struct stat status {};
      if (::lstat(shelf_.path(record_.id).c_str(), &status) != 0) return;
    }
  }

  /// Room first: for each source what is missing about it, or nothing.
  std::vector<std::string> look(const BackupWork& work) {
    std::vector<std::string> missing;
    std::int64_t bytes = 0;
    for (const BackupSource& source : policy_.sources) {
      try {
        bytes += backup_engine(source.engine).estimate(work, source);
        missing.emplace_back();
      } catch (const MissingSource& one) {
        expect_may_be_missing(one);
        missing.push_back(one.what);
      }
    }
    work.guard.expect_room_for(bytes);
    return missing;
  }

  /// Before a first deployment there is nothing to save. Where there was something once, its absence is alarming.
  void expect_may_be_missing(const MissingSource& one) {
    if (request_.reason != "before-deploy") throw Error(one.what);
    if (memory_.read().verified_id.empty() && shelf_.catalogue().records.empty()) return;
    throw Error(one.what + ", and there are backups of it: if it is meant to be gone, take it out of the policy");
  }

  void take_parts(const BackupWork& work, const std::vector<std::string>& missing) {
    for (std::size_t i = 0; i < policy_.sources.size(); ++i) {
      const BackupSource& source = policy_.sources[i];
      if (!missing[i].empty()) {
        tell_("skipping " + describe(source) + ": " + missing[i]);
        record_.parts.push_back({.source = source, .skipped = missing[i]});
        continue;
      }
      tell_("saving " + describe(source));
      const std::string stem = std::to_string(i + 1) + "-" + std::string(to_text(source.engine)) + "-";
      record_.parts.push_back(while_doing("saving " + describe(source),
                                          [&] { return backup_engine(source.engine).take(work, source, stem); }));
      note_disk(source, work.folder);
    }
  }

  void note_disk(const BackupSource& source, const std::string& folder) {
    struct stat ours {};
    if (::stat(folder.c_str(), &ours) != 0) return;
    for (const std::string& path : paths_of(source)) {
      const std::optional<FileStat> theirs = system_.stat(path);
      if (theirs && theirs->device == ours.st_dev) record_.same_disk = true;
    }
  }

  void put_up() {
    record_.verified = Verified::yes;
    record_.verified_ms = system_.now_ns() / 1'000'000;
    record_.duration_ms = elapsed_ms();
    shelf_.put_up(record_);
  }

  void clean_up() noexcept {
    try {
      shelf_.open();
    } catch (const std::exception&) {  // the next run tries again
    }
  }

  /// After a success only: the memory, and then what is no longer kept.
  void finish(BackupOutcome& outcome) {
    try {
      const Catalogue catalogue = shelf_.catalogue();
      const std::vector<std::string> superseded =
          superseded_backups(catalogue.records, policy_, record_.id, record_.begun_ms);
      for (const BackupRecord& one : catalogue.records) {
        if (std::ranges::find(superseded, one.id) == superseded.end()) continue;
        shelf_.remove(one);
        outcome.removed.push_back(one.id);
      }
    } catch (const Error& error) {
      outcome.note = std::string("older backups could not be removed: ") + error.what();
    }
    if (request_.reason == "schedule") read_an_older_one(outcome);
    memory_.write(state_of(shelf_.catalogue(), memory_.read()));
  }

  /// Disks rot silently: in as many runs as backups are kept, each has been read again.
  void read_an_older_one(BackupOutcome& outcome) {
    try {
      BackupRecord* oldest = nullptr;
      Catalogue catalogue = shelf_.catalogue();
      for (BackupRecord& one : catalogue.records) {
        if (one.id == record_.id || one.verified != Verified::yes) continue;
        if (oldest == nullptr || one.verified_ms < oldest->verified_ms) oldest = &one;
      }
      const std::int64_t left_ms = policy_.timeout_ms - elapsed_ms();
      if (oldest == nullptr || left_ms <= 0) return;
      read_back(system_, BackupGuard(shelf_.folder(), 0, 0, std::chrono::milliseconds(left_ms)), shelf_, *oldest);
      if (oldest->verified == Verified::yes) return;
      outcome.note = "the older backup " + oldest->id + " is damaged: " + oldest->verified_how;
    } catch (const Error&) {  // no time, or no room: the next run tries again
    }
  }

  void remember_failure(const std::string& error) {
    if (request_.reason != "schedule") {  // a scheduled one's standard error is in the journal already
      ::openlog("holdfast-backup", LOG_PID, LOG_DAEMON);
      ::syslog(LOG_ERR, "backup %s (%s) failed: %s", policy_.name.c_str(), request_.reason.c_str(), error.c_str());
    }
    BackupState state = memory_.read();
    state.failures.insert(state.failures.begin(), {.at_ms = record_.begun_ms,
                                                   .reason = request_.reason,
                                                   .transaction = request_.transaction,
                                                   .error = error.substr(0, longest_error),
                                                   .duration_ms = elapsed_ms()});
    if (state.failures.size() > kept_failures) state.failures.resize(kept_failures);
    try {
      memory_.write(state);
    } catch (const Error&) {  // the disk of the host itself is full: the error is told all the same
    }
  }

  [[nodiscard]] std::int64_t elapsed_ms() const {
    const auto elapsed = std::chrono::steady_clock::now() - begun_;
    return std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count();
  }

  System& system_;
  const BackupPolicy& policy_;
  const BackupRequest& request_;
  const TellBackup& tell_;
  BackupShelf shelf_;
  BackupMemory memory_;
  std::chrono::steady_clock::time_point begun_;
  BackupRecord record_{};
  std::string made_{};  // the topmost folder that was not there
};

}  // namespace

BackupOutcome run_backup(System& system, const BackupPolicy& policy, const BackupRequest& request,
                         const TellBackup& tell) {
  return Run(system, policy, request, tell)();
}

}  // namespace holdfast
