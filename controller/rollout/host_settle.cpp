// What was begun before this turn and has no end yet in the history: the host is asked, and its word is written down.
#include <controller/rollout/host_steps.hpp>

#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <utility>

namespace holdfast {

namespace {

constexpr int most_cut_off = 10;
constexpr std::int64_t cut_off_within_ms = 600'000;
constexpr std::int64_t apply_ms = 3'600'000;

}  // namespace

RunnerClient::PlanRequest HostSteps::plan_request() {
  RunnerClient::PlanRequest request{.known = record_.live_bundle == job_.desired->digest,
                                    .digest = job_.desired->digest,
                                    .allow_prune = job_.allow_prune,
                                    .claim = {.lease_ms = tools_.lease_ms}};
  contended_ = contended(tools_.store.fights(job_.environment, record_.host), job_.desired->lowered.bundle);
  for (const Contended& one : contended_) request.leave.push_back(one.id);
  request.leave.insert(request.leave.end(), drifted_.begin(), drifted_.end());
  request.leave.insert(request.leave.end(), job_.leave.begin(), job_.leave.end());
  if (unsettled_.empty()) return request;
  for (const Deployment& one : unsettled_) request.asked.push_back(one.transaction);
  request.epoch = tools_.store.next_epoch();
  return request;
}

/// What is decided there of our own is written down all the same; it is told once who keeps the host.
std::optional<HostReport> HostSteps::observe_only() {
  if (!owner_) return std::nullopt;
  std::string detail = "kept by the controller \"" + owner_->name +
                       "\", so nothing is done from here: stop that one, or `holdfast adopt " + job_.environment +
                       " --host " + record_.host + "` takes it over";
  if (plan_) {
    for (const AskedTransaction& answer : plan_->asked) {
      const auto known = std::ranges::find(unsettled_, answer.transaction, &Deployment::transaction);
      if (known == unsettled_.end() || !is_at_end(answer.reply)) continue;
      deployment_ = known->id;
      settle_as_observer(*known, answer);
    }
    deployment_ = 0;
    const std::size_t pending = plan_->plan.actions.size();
    if (pending != 0) {
      detail += "; " + std::to_string(pending) + (pending == 1 ? " change is" : " changes are") + " pending";
    }
  }
  if (record_.state != "observing") tell(Progress::Level::warning, "observing: " + detail);
  return report(HostResult::observing, "observing", detail);
}

void HostSteps::settle_as_observer(const Deployment& known, const AskedTransaction& answer) {
  const std::string& state = answer.reply.state;
  const std::string why = state == "none" ? "nothing was done: the host has not begun it" : why_of(answer.reply);
  if (state == "confirmed") return end(known.cause == "drift" ? Outcome::repaired : Outcome::deployed, "");
  const bool undone = state == "rolled_back" || state == "rollback_failed";
  if (undone && !is_nobodys_fault(answer.reply, answer.bundle_digest)) hold({answer.bundle_digest, known.commit}, why);
  end(state == "none"          ? Outcome::failed
      : state == "refused"     ? Outcome::refused
      : state == "rolled_back" ? Outcome::rolled_back
                               : Outcome::rollback_failed,
      why);
}

/// The outcomes that the host told with the plan, the oldest first. A report means that the turn is over.
std::optional<HostReport> HostSteps::settle_asked() {
  if (!plan_) return std::nullopt;  // what is half done is settled first, then the plan is asked for again
  const std::vector<AskedTransaction> answers = std::exchange(plan_->asked, {});
  const std::string live = record_.live_bundle;
  for (const AskedTransaction& answer : answers) {
    const auto known = std::ranges::find(unsettled_, answer.transaction, &Deployment::transaction);
    if (known == unsettled_.end()) continue;
    deployment_ = known->id;
    transaction_ = answer.transaction;
    if (auto report = settle_one(*known, answer)) return report;
    deployment_ = 0;
    transaction_.clear();
  }
  unsettled_.clear();
  if (!job_.standing || record_.live_bundle == job_.desired->digest) return std::nullopt;
  if (job_.goes_back && record_.live_bundle == live) return std::nullopt;
  if (job_.standing->state == "suspended") return std::nullopt;  // nothing is put back there: what is open comes next
  // This turn was to keep the last verified state in force. That is another one, as the host has just told: whoever
  // chooses begins anew from it, and nobody goes back behind it.
  plan_.reset();
  const HostResult kept = job_.standing->state == "waiting" ? HostResult::waiting : HostResult::held;
  return report(kept, "converged", "");
}

std::optional<HostReport> HostSteps::settle_one(const Deployment& known, const AskedTransaction& answer) {
  const std::string& state = answer.reply.state;
  if (state == "none") {
    end(Outcome::failed, "nothing was done: the host has not begun it");
  } else if (state == "refused") {
    if (!answer.reply.failed_id.empty()) hold({answer.bundle_digest, known.commit}, why_of(answer.reply));
    end(Outcome::refused, why_of(answer.reply));
  } else if (state == "confirmed") {
    was_confirmed(known.commit, answer.bundle_digest);
    end(known.cause == "drift" ? Outcome::repaired : Outcome::deployed, "");
  } else if (state == "rolled_back" || state == "rollback_failed") {
    return settle_undone(known, answer);
  } else if (!open_) {  // it is at something that comes before the first change: a backup
    open_ = OpenTransaction{answer.transaction, state, answer.bundle_digest};
  }
  if (is_at_end(answer.reply)) {
    tell(Progress::Level::warning, "the host was asked for transaction " + answer.transaction + ": " +
                                       (state == "none" ? "it has not begun it" : state));
  }
  return std::nullopt;
}

/// The host went back by itself: what it went back from is held like anything else that was rolled back.
std::optional<HostReport> HostSteps::settle_undone(const Deployment& known, const AskedTransaction& answer) {
  const std::string why = why_of(answer.reply);
  tell(Progress::Level::warning, "the host undid transaction " + answer.transaction + " by itself: " + why);
  const bool wanted_still = answer.bundle_digest == job_.desired->digest;
  if (is_nobodys_fault(answer.reply, answer.bundle_digest)) {
    end(answer.reply.state == "rolled_back" ? Outcome::rolled_back : Outcome::rollback_failed, why);
    return std::nullopt;
  }
  if (answer.reply.state == "rollback_failed" || (wanted_still && why != set_aside_reason)) {
    plan_.reset();
    return after_rollback(answer.reply, why, {answer.bundle_digest, known.commit});
  }
  if (why != set_aside_reason) hold({answer.bundle_digest, known.commit}, why);
  end(why == set_aside_reason ? Outcome::superseded : Outcome::rolled_back, why);
  return std::nullopt;
}

/// The host has that verified state, whatever is wanted now.
void HostSteps::was_confirmed(const std::string& commit, const std::string& bundle) {
  if (bundle == job_.desired->digest) {
    remember_generation();
  } else if (record_.live_bundle != bundle) {
    record_.live_commit = commit;
    record_.live_bundle = bundle;
    record_.live_checks = job_.checks_at ? job_.checks_at(commit) : "";
  }
  tools_.store.put_host(record_);
  stored_ = record_;
}

std::optional<HostReport> HostSteps::settle_open_transaction() {
  if (!open_) return std::nullopt;

  plan_.reset();  // what is settled here changes the host
  // It has begun what is wanted now, whoever began it: no other host may be the first to take that meanwhile.
  if (open_->bundle_digest == job_.desired->digest) static_cast<void>(may_begin());
  transaction_ = open_->transaction;
  applied_ = true;  // if contact is lost now, what becomes of it is not known
  const std::string state = open_->state;
  epoch_ = tools_.store.next_epoch();
  tell(Progress::Level::warning, "found transaction " + transaction_ + " " + state + ": finishing it first");
  std::string commit;
  for (const Deployment& known : tools_.store.deployments(job_.environment, record_.host, 20)) {
    if (known.transaction != transaction_) continue;
    deployment_ = known.id;
    commit = known.commit;
  }
  TransactionReply reply{.state = state};
  if (state != "pending") {
    reply = (*session_)->attach(
        transaction_, [this](const Value& event) { tell_event(event); }, in(apply_ms));
  }
  if (open_->bundle_digest != job_.desired->digest) return set_aside(reply, commit);
  if (reply.state == "refused") return refused_by_host(reply);
  if (reply.state != "pending") return undone_by_host(reply);
  const Verdict verdict = watch_health();
  return judged(verdict);
}

/// A transaction for what is no longer wanted is undone, whatever would have come of it; nobody judged it, so nothing
/// is held, and what is wanted now is planned next. What the host undid by itself before we asked is held.
std::optional<HostReport> HostSteps::set_aside(TransactionReply reply, const std::string& commit) {
  std::string why = set_aside_reason;
  const bool pending = reply.state == "pending";
  if (pending) {
    reply = (*session_)->rollback(
        transaction_, epoch_, why, [this](const Value& event) { tell_event(event); }, in(apply_ms));
  } else if (reply.state == "rolled_back" && why_of(reply) != why) {
    why = why_of(reply);
    if (!is_nobodys_fault(reply, open_->bundle_digest)) hold({open_->bundle_digest, commit}, why);
  }
  if (reply.state == "rollback_failed") return after_rollback(reply, why, {open_->bundle_digest, commit});
  if (reply.state == "confirmed") was_confirmed(commit, open_->bundle_digest);
  const bool undone = reply.state == "rolled_back";
  tell(Progress::Level::warning,
       "transaction " + transaction_ + (undone ? " is undone: " + why : " was " + reply.state));
  end(undone                       ? (why == set_aside_reason ? Outcome::superseded : Outcome::rolled_back)
      : reply.state == "confirmed" ? Outcome::deployed
                                   : Outcome::refused,
      undone ? why : why_of(reply));
  deployment_ = 0;
  transaction_.clear();
  applied_ = false;
  return std::nullopt;
}

/// What was undone is not held: somebody else changed the host meanwhile, or what was cut off only went back to what
/// was verified before. That is tried again, also where the drift could not be brought back (a unit whose file was gone
/// does not start again), but not for ever: putting it right may be what brings the host down.
bool HostSteps::is_nobodys_fault(const TransactionReply& reply, const std::string& bundle) const {
  const bool undone = reply.state == "rolled_back" || reply.state == "rollback_failed";
  if (reply.changed) return reply.state == "rolled_back";
  if (!undone || !reply.cut_off || bundle != record_.live_bundle) return false;
  const std::int64_t since_ms = tools_.clock.wall_ms() - cut_off_within_ms;
  const std::vector<Deployment> newest = tools_.store.deployments(job_.environment, record_.host, most_cut_off * 4);
  return std::ranges::count_if(newest, [since_ms](const Deployment& one) {
           const bool back = one.outcome == Outcome::rolled_back || one.outcome == Outcome::rollback_failed;
           return one.cause == "drift" && back && one.begun_ms > since_ms;
         }) < most_cut_off;
}

/// The commit is not to blame for it, and is planned again.
HostReport HostSteps::disturbed(const TransactionReply& reply) {
  const std::string why = why_of(reply);
  if (reply.changed && !reply.failed_id.empty()) {
    const std::string wanted = wanted_digest(job_.desired->lowered.bundle, reply.failed_id);
    tools_.store.put_fights(job_.environment, record_.host, {{reply.failed_id, wanted, tools_.clock.wall_ms()}});
  }
  end(reply.state == "refused"       ? Outcome::refused
      : reply.state == "rolled_back" ? Outcome::rolled_back
                                     : Outcome::rollback_failed,
      why);
  const std::string what = reply.changed ? "somebody else changed the host meanwhile: " : "a repair was cut off: ";
  tell(Progress::Level::warning, what + why + "; it is planned again");
  return report(HostResult::disturbed, "disturbed", why);
}

/// Drift that was put right. A unit that only loaded again what had changed was not fought for.
void HostSteps::remember_fights() {
  std::vector<Fight> fights;
  const std::int64_t now = tools_.clock.wall_ms();
  for (const Action& action : account_.plan().plan.actions) {
    const auto differs = [&action](const char* key) {
      const auto from = action.from.find(key);
      const auto to = action.to.find(key);
      return to != action.to.end() && (from == action.from.end() || from->second != to->second);
    };
    if (action.id.type == PrimitiveType::unit && !differs("active") && !differs("enabled")) continue;
    const std::string id = to_text(action.id);
    fights.push_back({id, wanted_digest(job_.desired->lowered.bundle, id), now});
  }
  tools_.store.put_fights(job_.environment, record_.host, fights);
  std::vector<Contended> now_contended =
      contended(tools_.store.fights(job_.environment, record_.host), job_.desired->lowered.bundle);
  if (now_contended.size() > contended_.size()) {
    tell(Progress::Level::bad, "contended: " + to_text(now_contended) + "; it is left alone from now on");
  }
  contended_ = std::move(now_contended);
}

}  // namespace holdfast
