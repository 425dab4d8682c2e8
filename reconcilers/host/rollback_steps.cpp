#include <reconcilers/host/transaction_steps.hpp>

#include <reconcilers/host/dead_man.hpp>
#include <reconcilers/host/observe.hpp>
#include <reconcilers/host/reserve.hpp>

#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>

#include <chrono>
#include <thread>

namespace holdfast {

namespace {

constexpr int undo_tries = 3;
constexpr std::chrono::seconds until_next_try{1};

/// An asked-for rollback waits until the runner has seen that it was asked to stop; else a runner that just ends is
/// waited for.
std::chrono::milliseconds patience(RecoverTime time) {
  return time == RecoverTime::due ? std::chrono::seconds(1) : std::chrono::minutes(10);
}

/// Why somebody else than its runner ends it. An undo that was begun before goes on for its own reason.
Failure why_of(const TransactionRecord& transaction) {
  if (transaction.state == "rolling_back" && transaction.failure.is_map()) {
    Failure begun = failure_from(transaction.failure);
    // A step may have failed because the machine was already going down.
    begun.cut_off = begun.cut_off || transaction.boot_id != current_boot_id();
    return begun;
  }
  Failure failure{.what = "its runner died", .cut_off = true};
  if (transaction.state == "pending") failure.what = "it was not confirmed in time";
  if (transaction.boot_id != current_boot_id()) failure.what = "the machine was restarted before it was confirmed";
  return failure;
}

}  // namespace

bool TransactionSteps::resume(RecoverTime time) {
  lock_ = FileLock::take(state_.path("lock"), patience(time));
  if (!lock_) return false;  // its runner lives, and undoes by itself what fails
  const TransactionRecord transaction = read_transaction(state_, id_);
  if (transaction.state.empty() || is_at_end(transaction.state)) {
    if (is_at_end(transaction.state) && transaction.state != "confirmed") end();
    return false;
  }
  if (time == RecoverTime::due && transaction.state == "pending" && !is_overdue(transaction)) return false;
  request_ = transaction.request;
  why_recovered_ = why_of(transaction);
  system_.end_steps_of("holdfast-" + id_ + ".service");  // a build that outlived its runner would work against the undo
  journal_.emplace(state_.transaction_path(id_, "journal"));
  events_.emplace(state_.transaction_path(id_, "events"));
  return true;
}

void TransactionSteps::roll_back(const Failure& failure, UndoTime time) {
  // Nothing can be started any more, and what fails now fails for that: the boot unit undoes it, for its own reason.
  if (time == UndoTime::running && is_shutting_down(system_)) return;
  std::vector<std::string> left;
  bool back = false;
  try {
    const TransactionRecord transaction = read_transaction(state_, id_);
    extended_ = transaction.extended;
    reserved_ = transaction.reserved;
    release_journal(system_, reserved_);
    events_->phase("rollback");
    write_state("rolling_back", {{"failure", to_value(failure)}});
    HOLDFAST_FAILPOINT("rollback.begun");
    left = settle_unfinished(transaction);
    Undone undone = undo_once(transaction, time);
    if (time == UndoTime::booting) return;  // what needs a running system is done when it runs
    // A service that dies once, a package manager that is busy: nothing that a person has to come for.
    for (int i = 1; i < undo_tries && undone.may_be_tried_again(); ++i) {
      std::this_thread::sleep_for(until_next_try);
      undone = undo_once(transaction, time);
    }
    back = undone.failed.empty();
    if (!back && is_shutting_down(system_)) return;
    left.insert(left.end(), undone.left.begin(), undone.left.end());
    left.insert(left.end(), undone.failed.begin(), undone.failed.end());
  } catch (const Error& error) {
    left.emplace_back(error.what());
  }
  release_space(reserved_);
  write_state(back ? "rolled_back" : "rollback_failed", {{"failure", to_value(failure)}, {"left", Value::texts(left)}});
  end();
}

/// All that is not back yet, from what the host is like now.
TransactionSteps::Undone TransactionSteps::undo_once(const TransactionRecord& transaction, UndoTime time) {
  UndoPlan plan = undo_of(transaction.touched, observe_touched(transaction), time);
  Undone undone = undo_moves(plan.moves);
  undone.left.insert(undone.left.begin(), plan.left.begin(), plan.left.end());
  if (time == UndoTime::booting) return undone;
  const std::map<PrimitiveId, Attributes> now = observe_touched(transaction);
  std::erase_if(plan.moves, [&](const Move& move) { return undone.not_ours.contains(move.wanted.id); });
  for (std::string& one : not_undone(plan.moves, now)) undone.failed.push_back(std::move(one));
  for (std::string& one : kept_data(plan.moves, now)) undone.left.push_back(std::move(one));
  return undone;
}

std::vector<std::string> TransactionSteps::settle_unfinished(const TransactionRecord& transaction) {
  std::vector<std::string> kept;
  for (const Touched& one : transaction.touched) {
    const PrimitiveId& id = one.action.id;
    if (!one.begun || (id.type != PrimitiveType::file && id.type != PrimitiveType::link)) continue;
    std::vector<std::string> known;
    for (const Attributes* side : {&one.action.from, &one.action.to}) {
      for (const char* key : {"content", "target"}) {
        const auto found = side->find(key);
        if (found != side->end()) known.push_back(found->second.as_text());
      }
    }
    for (const std::string& path : system_.settle_unfinished(id.name, known)) {
      kept.push_back(to_text(id) +
                     " was changed by someone twice while it was changed: their first version is kept in \"" + path +
                     "\"");
    }
  }
  return kept;
}

std::map<PrimitiveId, Attributes> TransactionSteps::observe_touched(const TransactionRecord& transaction) const {
  std::vector<const Wanted*> wanted;
  for (const Touched& one : transaction.touched) wanted.push_back(&one.wanted);
  return observe(system_, wanted);
}

/// What can't be undone is told, and keeps nothing else from being undone.
TransactionSteps::Undone TransactionSteps::undo_moves(const std::vector<Move>& moves) {
  Undone undone;
  prepared_ = plan_moves(moves, system_.abilities());
  for (std::size_t i = 0; i < prepared_.plan.actions.size(); ++i) {
    const Action& action = prepared_.plan.actions[i];
    events_->action(action.id, "begin");
    try {
      journal_->append(Map{{"record", "undo"}, {"id", to_text(action.id)}});
      compare_before(action, prepared_.wanted[i]);
      HOLDFAST_FAILPOINT("undo.begun");
      release_for(system_, reserved_, action);
      run_steps(action, Settle::each);
      HOLDFAST_FAILPOINT("undo.done");
      events_->action(action.id, "done");
    } catch (const ChangedByOthers& error) {
      events_->action(action.id, "failed", error.what());
      undone.left.push_back(to_text(action.id) + ": " + error.what());
      undone.not_ours.insert(action.id);
    } catch (const Error& error) {
      events_->action(action.id, "failed", error.what());
      undone.failed.push_back(to_text(action.id) + ": " + error.what());
      undone.command_failed = undone.command_failed || action.id.type == PrimitiveType::command;
    }
  }
  return undone;
}

void TransactionSteps::end() {
  release_space(read_transaction(state_, id_).reserved);
  HOLDFAST_FAILPOINT("rollback.ended");
  state_.clear_open_transaction();
  HOLDFAST_FAILPOINT("rollback.closed");
  disarm_dead_man(system_, id_);
}

}  // namespace holdfast
