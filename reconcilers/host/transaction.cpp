#include <reconcilers/host/transaction.hpp>

#include <reconcilers/host/confirm.hpp>
#include <reconcilers/host/dead_man.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/host/transaction_steps.hpp>

#include <manifests/error.hpp>

#include <algorithm>

namespace holdfast {

// The stages of a host run, from top to bottom. Whatever is thrown after the first effect, whoever dies at whichever
// line: the journal says what was begun, and the undo is planned from what the host is like then.

void run_transaction(System& system, const State& state, const std::string& id) {
  TransactionSteps steps(system, state, id);
  if (!steps.begin()) return;       // one writer: lock, epoch, nothing else open
  if (!steps.plan_again()) return;  // refused where the host is no longer what the plan was made for
  if (!steps.back_up()) return;     // refused where data that the change touches can't be saved first
  try {
    if (!steps.save_undo()) return;  // old contents and room for an undo are on the disk, and the journal says what for
    steps.arm();         // from here on the host comes back by itself
    do {                 // once, and once more after packages: they bring files of their own
      steps.prepare();   // packages, accounts, folders, releases: nothing that runs uses them yet
      steps.validate();  // the judges see the new configuration in place, while the host's own is not touched
      steps.apply();     // files, links, units: intent, compare, effect, done
    } while (steps.unfinished());
    steps.verify();  // observed again, everything is as wanted
    steps.wait_for_confirmation();
  } catch (const StepFailed& failed) {
    steps.roll_back(failed.failure);
  } catch (const Error& error) {
    steps.roll_back(failure_of({}, error.what()));
  }
}

void recover_transaction(System& system, const State& state, RecoverTime time, const std::string& reason) {
  if (time == RecoverTime::due && waits_for_confirmation(state)) return;
  if (is_shutting_down(system)) return;  // nothing can be started any more: the boot unit does it
  settle_confirmed(system, state);
  const std::optional<std::string> id = state.open_transaction();
  if (!id) return;
  TransactionSteps steps(system, state, *id);
  if (!steps.resume(time)) return;
  steps.roll_back(reason.empty() ? steps.why_recovered() : failure_of({}, reason),
                  time == RecoverTime::booting ? UndoTime::booting : UndoTime::running);
}

void close_unopened(System& system, const State& state, const std::string& id) {
  const std::optional<FileLock> lock = FileLock::take(state.path("lock"), std::chrono::milliseconds(0));
  if (!lock || state.open_transaction() == id) return;
  const TransactionRecord transaction = read_transaction(state, id);
  // One that failed before it was opened may have begun to say that it is undone, as far as the disk let it.
  if (transaction.state != "open" && transaction.state != "rolling_back") return;
  if (std::ranges::any_of(transaction.touched, &Touched::begun)) return;
  const std::string died = "its runner died before it changed anything";
  const std::string what = transaction.failure.is_map() ? transaction.failure.text_or("what", died) : died;
  for (const std::string& path : transaction.reserved) system.remove_file(path);
  Journal(state.transaction_path(id, "journal"))
      .append(Map{{"record", "state"},
                  {"state", "refused"},
                  {"failure", to_value(failure_of({}, what))},
                  {"at", timestamp(system.now_ns())}});
}

void recover(System& system, const State& state, const std::vector<std::string>& words) {
  RecoverTime time = RecoverTime::due;
  std::string id;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "--now") {
      time = RecoverTime::now;
    } else if (words[i] == "--boot") {
      time = RecoverTime::booting;
    } else {
      id = words[i];
    }
  }
  const std::optional<std::string> open = state.open_transaction();
  if (!id.empty() && open != id) return close_unopened(system, state, id);
  if (!open) return;
  const std::optional<std::string> reason = read_state_file(state.transaction_path(*open, "abort"), 4096);
  recover_transaction(system, state, time, reason.value_or(""));
}

}  // namespace holdfast
