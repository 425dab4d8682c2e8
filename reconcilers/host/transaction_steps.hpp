#pragma once

#include <reconcilers/host/events.hpp>
#include <reconcilers/host/rehearsal.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/host/transaction.hpp>
#include <reconcilers/host/transaction_record.hpp>
#include <reconcilers/host/undo.hpp>
#include <reconcilers/host/vault.hpp>
#include <reconcilers/primitives/started.hpp>

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace holdfast {

/// What ends the way forward: told to people, then undone.
struct StepFailed {
  Failure failure{};
};

/// The stages of a transaction, one function each; transaction.cpp has their order. Keeps what one stage leaves for the
/// next. After begin() or resume() gave true this process holds the host's lock until the object ends.
class TransactionSteps {
 public:
  TransactionSteps(System& system, const State& state, const std::string& id);

  bool begin();
  bool plan_again();
  bool back_up();
  bool save_undo();
  void arm();
  void prepare();
  void validate();
  void apply();
  [[nodiscard]] bool unfinished() const { return next_ < prepared_.plan.actions.size(); }
  void verify();
  void wait_for_confirmation();

  /// Takes over what a dead runner left, or what was never confirmed. False where there is nothing to undo (yet).
  bool resume(RecoverTime time);
  [[nodiscard]] const Failure& why_recovered() const { return why_recovered_; }
  void roll_back(const Failure& failure, UndoTime time = UndoTime::running);

 private:
  /// `id` is what stands in the way until a person sees to it; without a name the next try may do better.
  bool refuse(const std::string& what, const PrimitiveId& id = {});
  bool refuse(const Failure& failure);
  std::string take_backup(const PlannedBackup& planned);
  bool refuse_plan(const Plan& plan);
  void make_plan_now();
  void keep_actions();
  void save_contents();
  void save_extended();
  void reserve_space();
  void release_space(const std::vector<std::string>& reserved);
  /// Does one action of the plan; throws StepFailed.
  void run_action(std::size_t index);
  enum class Settle { together, each };  // started units are looked at again by verify(), or one by one at once
  /// What is to be told of it: how long it took, and how long a restarted unit was not running.
  Map run_steps(const Action& action, Settle settle);
  void see_started_settle();
  void compare_before(const Action& action, const Wanted& wanted) const;
  void check_still_ours() const;
  void plan_after_packages();
  [[nodiscard]] Rehearsal next_rehearsal() const;
  void write_state(const std::string& state, Map more = {});
  /// What a killed runner was about to put in place or to remove. Gives what had to be kept beside its place.
  std::vector<std::string> settle_unfinished(const TransactionRecord& transaction);
  /// How an undo went: what could not be undone, and what is someone else's by now.
  struct Undone {
    std::vector<std::string> failed{};
    std::vector<std::string> left{};
    std::set<PrimitiveId> not_ours{};
    bool command_failed = false;
    /// A declared undo runs once: nobody has promised that it can be run again.
    [[nodiscard]] bool may_be_tried_again() const { return !failed.empty() && !command_failed; }
  };
  Undone undo_once(const TransactionRecord& transaction, UndoTime time);
  Undone undo_moves(const std::vector<Move>& moves);
  [[nodiscard]] std::map<PrimitiveId, Attributes> observe_touched(const TransactionRecord& transaction) const;
  void end();

  System& system_;
  const State& state_;
  std::string id_;
  TransactionRequest request_{};
  std::optional<FileLock> lock_{};
  std::optional<Journal> journal_{};
  std::optional<Events> events_{};
  HostVault vault_;
  Bundle bundle_{};    // as sent
  Bundle resolved_{};  // as it can be compared
  Sight sight_{};
  PreparedPlan prepared_{};
  std::size_t next_ = 0;        // of prepared_.plan.actions
  std::vector<Wanted> done_{};  // what was changed, to be verified
  std::vector<StartedUnit> started_{};
  std::map<PrimitiveId, ExtendedAttributes> extended_{};  // what an undo gives back; empty on the way forward
  PrimitiveId stands_in_way_{};                           // of a refusal: what a person has to see to
  std::vector<std::string> reserved_{};                   // what it may let go of
  Failure why_recovered_{};
};

}  // namespace holdfast
