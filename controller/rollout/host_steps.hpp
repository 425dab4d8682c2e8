#pragma once

#include <controller/health/health.hpp>
#include <controller/rollout/account.hpp>
#include <controller/rollout/contended.hpp>
#include <controller/rollout/host_run.hpp>
#include <controller/rollout/late_watches.hpp>
#include <controller/ssh/runner_client.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// The stages of a host's turn, one function each; host_run.cpp has their order. Keeps what one stage leaves for the
/// next: the connection, the baseline, the transaction's id. Every stage throws Error when contact is lost.
class HostSteps {
 public:
  HostSteps(const HostJob& job, HostTools& tools);

  /// A report where another process of this controller is changing the host now.
  std::optional<HostReport> busy_beside();
  /// A report where the open transaction that the host told of is that of a process which began it meanwhile.
  std::optional<HostReport> open_beside();
  /// A report where another process had begun before we did, or began and ended since we looked: two of them may both
  /// have found nobody at it. Then nothing is done, and was_overtaken().
  std::optional<HostReport> begun_beside();
  [[nodiscard]] bool was_overtaken() const { return overtaken_; }
  /// A session with the host, the open transaction and the plan: one round trip on a kept session and on a new one.
  void look();
  /// A report where another controller keeps the host: nothing is done to it.
  std::optional<HostReport> observe_only();
  /// What our state does not know of the host yet, by its own records. A report means that the turn is over.
  std::optional<HostReport> learn();
  /// The turn was only for that.
  [[nodiscard]] bool only_learns() const { return job_.only_learn; }
  HostReport left_alone();
  /// What was begun earlier and has no end in the history gets the one that the host told with the plan.
  std::optional<HostReport> settle_asked();
  /// A transaction that a dead controller or a lost connection left open: confirmed if it is what is wanted and
  /// healthy, else undone. A report means that the turn is over; none, that what is wanted now can be planned.
  std::optional<HostReport> settle_open_transaction();
  PlanReply plan();
  /// Of a plan that only puts drift right: without what the policy leaves as it is.
  PlanReply leave_drift(PlanReply reply);
  /// A report where a person took the host out of our hands: what differs is told, once, and left as it is.
  std::optional<HostReport> suspended(const PlanReply& reply);
  HostReport refused(const PlanReply& reply);
  HostReport nothing_to_do();
  /// A round of the late watch, where one is due on the host that `report` is of; then what came of that.
  HostReport watched_late(const HostReport& report);
  /// False where another host must take this commit first.
  [[nodiscard]] bool may_begin() const { return !job_.may_begin || job_.may_begin(); }
  HostReport waits();

  /// Asks the host to say from now on when something changes on it, over the session that is kept. Never throws.
  void keep_watch();

  /// Writes the deployment to the history, before anything happens on the host.
  void begin(const PlanReply& reply);
  void take_baseline();
  void send_contents(const Plan& plan);
  TransactionReply apply(const Plan& plan);
  /// Over a new connection: the one that the change was made through proves nothing.
  Verdict watch_health();
  /// Confirmed, rolled back, or undone because something else is wanted by now.
  HostReport judged(const Verdict& verdict);
  HostReport confirm(const Verdict& verdict);
  HostReport roll_back(const std::string& why, const std::vector<std::string>& blamed);
  /// A report where something else is wanted before the host was asked to begin.
  std::optional<HostReport> superseded_before();
  /// The host was asked, between two of its steps, to undo what it had done so far.
  [[nodiscard]] bool is_cut_short() const { return cut_short_.has_value(); }
  HostReport superseded(const TransactionReply& undone);
  HostReport refused_by_host(const TransactionReply& reply);
  /// Contact was lost before the host had begun, and it never will.
  HostReport never_begun();
  /// The runner failed and undid the transaction by itself.
  HostReport undone_by_host(const TransactionReply& reply);
  /// Contact was lost, or something broke, in whatever stage this was.
  HostReport lost(const std::string& why);
  /// The host says that it can't.
  HostReport failed(const std::string& why);

 private:
  /// What is held after a rollback.
  struct Undone {
    std::string bundle{};
    std::string commit{};
  };
  void learn_past(Deployment past, const std::string& held_bundle);
  std::optional<HostReport> refused_by_past();
  HostReport disturbed(const TransactionReply& reply);
  /// Whether another living process is changing the host with it.
  [[nodiscard]] bool is_at_it(const Deployment& one) const;
  [[nodiscard]] HostReport busy(const Deployment& other) const;
  [[nodiscard]] bool is_nobodys_fault(const TransactionReply& reply, const std::string& bundle) const;
  void remember_fights();
  [[nodiscard]] std::string drift_text() const;
  void tell_drift();
  /// Who changed these; none where nobody can say, one without an id where the host could not be asked, with why.
  std::vector<ChangeTrace> traces_of(std::vector<std::string> ids);
  void settle_as_observer(const Deployment& known, const AskedTransaction& answer);
  std::optional<HostReport> settle_one(const Deployment& known, const AskedTransaction& answer);
  std::optional<HostReport> settle_undone(const Deployment& known, const AskedTransaction& answer);
  std::optional<HostReport> set_aside(TransactionReply reply, const std::string& commit);
  void was_confirmed(const std::string& commit, const std::string& bundle);
  [[nodiscard]] Undone wanted() const { return {job_.desired->digest, job_.commit.id}; }
  [[nodiscard]] std::string why_superseded() const { return job_.superseded ? job_.superseded() : ""; }
  void cut_short_between_steps();
  [[nodiscard]] std::string why_back() const;
  TransactionReply undo(const std::string& reason);
  HostReport after_rollback(const TransactionReply& reply, const std::string& why, const Undone& undone);
  HostReport report(HostResult result, const std::string& outcome, const std::string& detail);
  void hold(const Undone& undone, const std::string& reason);
  void end(Outcome outcome, const std::string& reason);
  void begin_late_watch();
  /// Nothing where something else is wanted meanwhile.
  std::optional<LateRound> late_round(const LateWatchPolicy& policy);
  HostReport broke_late(const LateWatches::Watched& watched, const Verdict& verdict);
  void tell_late(const LateWatch& watch, Progress::Level level, const std::string& text);
  void tell(Progress::Level level, const std::string& text);
  /// The same, but kept in the plan and its result already, so not among the events.
  void show(Progress::Level level, const std::string& text, const Value& record = {}) const;
  [[nodiscard]] HostPlan host_plan(const PlanReply& reply) const;
  void keep_result();
  void tell_event(const Value& event);
  void tell_journal(const std::vector<std::string>& blamed);
  void remember_generation();
  [[nodiscard]] Deadline in(std::int64_t ms) const;
  void ask_for_plan();
  void take_record();
  RunnerClient::PlanRequest plan_request();
  [[nodiscard]] bool first_time() const { return record_.live_bundle.empty(); }
  [[nodiscard]] bool is_repair() const { return record_.live_bundle == job_.desired->digest; }
  Verdict watch(const std::vector<Check>& checks, const HealthPolicy& policy, bool blame_all);
  TransactionReply attach_again(const std::string& why);

  const HostJob& job_;
  HostTools& tools_;
  HostRecord record_{};
  HostRecord stored_{};                  // as the store has it
  std::vector<Deployment> unsettled_{};  // begun before this turn, without an end; the oldest first
  std::optional<SessionPool::Lease> session_{};
  std::optional<OpenTransaction> open_{};
  std::vector<Contended> contended_{};  // left as it is
  std::vector<std::string> drifted_{};  // ids: left as it is, by the policy
  std::string drift_detail_{};          // what is told of it
  std::optional<OtherOwner> owner_{};   // of the host, where it is not us
  std::optional<PlanReply> plan_{};
  std::unique_ptr<RunnerClient> fresh_{};
  std::vector<Sample> baseline_{};
  std::vector<Sample> last_round_{};    // of the health watch
  std::vector<std::string> already_{};  // checks that failed before the change and after it
  std::string transaction_{};
  std::int64_t epoch_ = 0;
  std::int64_t deployment_ = 0;
  Account account_{};
  std::int64_t looked_ms_ = 0;  // when nobody was found at it
  bool overtaken_ = false;
  bool applied_ = false;  // the host may have begun
  bool tried_to_cut_ = false;
  std::optional<TransactionReply> cut_short_{};  // what it answered to that
};

/// Why a transaction was undone that nobody judged: what is wanted changed meanwhile.
inline constexpr const char* set_aside_reason = "it was left unconfirmed, and something else is wanted now";
/// "file:/etc/motd changed at 14:02:11 UTC, probably by alice (uid 1000, sudo vi /etc/motd)".
std::string line_of(const ChangeTrace& trace);
/// What the host said of a failure, as one text.
std::string why_of(const TransactionReply& reply);
/// How checks are kept, to be asked again after a rollback.
std::string checks_text(const std::vector<Check>& checks);

}  // namespace holdfast
