// What follows from the host's word and the health checks: confirmed, rolled back, held, and what people are told of
// it.
#include <controller/rollout/host_steps.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/failpoint.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::int64_t connect_ms = 20'000;
constexpr std::int64_t confirm_ms = 30'000;
constexpr std::int64_t rollback_ms = 600'000;
constexpr std::int64_t journal_ms = 1'500;
constexpr int journal_lines = 20;

std::vector<Check> checks_from(const std::string& json) {
  std::vector<Check> checks;
  if (json.empty()) return checks;
  const Value value = from_json(json);
  for (const Value& one : value.as_list()) checks.push_back(check_from(one));
  return checks;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

bool same_but_seen(HostRecord a, const HostRecord& b) {
  a.seen_ms = b.seen_ms;
  return a == b;
}

}  // namespace

std::string checks_text(const std::vector<Check>& checks) {
  List list;
  for (const Check& one : checks) list.push_back(to_value(one));
  return to_json(Value(std::move(list)));
}

std::string why_of(const TransactionReply& reply) {
  std::string why = reply.failed_id.empty() ? reply.what : reply.failed_id + ": " + reply.what;
  if (!reply.output.empty() && why.find(reply.output) == std::string::npos) why += "\n" + reply.output;
  return why;
}

HostReport HostSteps::report(HostResult result, const std::string& outcome, const std::string& detail) {
  const bool stands = job_.standing && (outcome == "converged" || outcome == "degraded");
  const bool drifts = !stands && outcome == "converged" && !drifted_.empty();
  const bool fought = !stands && !drifts && outcome == "converged" && !contended_.empty();
  if (fought && result == HostResult::unchanged) result = HostResult::contended;
  if (drifts && result == HostResult::unchanged) result = HostResult::drifted;
  const std::string state = stands ? job_.standing->state : drifts ? "drifted" : fought ? "contended" : outcome;
  const std::string shown = printable(
      stands   ? job_.standing->why + (detail.empty() ? "" : "; " + detail) + (drifted_.empty() ? "" : "; " + drift_text())
      : drifts ? drift_detail_
      : fought ? to_text(contended_) + "; left alone until what is wanted of it differs, or `holdfast retry " +
                     job_.environment + "`"
               : detail);
  if (record_.state != state || record_.changed_ms == 0) record_.changed_ms = tools_.clock.wall_ms();
  record_.state = state;
  record_.detail = shown;
  // When it was seen is written for many hosts at once, by who gives them their turns: a write each would be a thousand
  // syncs of the disk per tick.
  if (!same_but_seen(record_, stored_)) tools_.store.put_host(record_);
  stored_ = record_;
  return {.host = record_.host, .result = result, .detail = shown, .deployment = deployment_};
}

void HostSteps::keep_result() {
  const TransactionResult& result = account_.result();
  if (deployment_ == 0 || (result.changes.empty() && result.checks.empty())) return;
  tools_.store.put_result(deployment_, holdfast::keep_result(result));
  if (const auto downs = account_.downs(); !downs.empty())
    tools_.store.put_downs(job_.environment, record_.host, downs);
}

void HostSteps::end(Outcome outcome, const std::string& reason) {
  keep_result();
  if (outcome == Outcome::deployed && deployment_ != 0) begin_late_watch();
  HOLDFAST_FAILPOINT("turn.end");
  if (deployment_ != 0) tools_.store.end_deployment(deployment_, outcome, printable(reason), tools_.clock.wall_ms());
}

void HostSteps::remember_generation() {
  const bool same = record_.live_commit == job_.commit.id && record_.live_bundle == job_.desired->digest;
  if (!same && !job_.policy.empty()) {
    tools_.store.put_policy_of(job_.environment, record_.host, job_.commit.id, job_.policy);
  }
  record_.live_commit = job_.commit.id;
  record_.live_bundle = job_.desired->digest;
  record_.live_checks = checks_text(job_.desired->lowered.checks);
}

HostReport HostSteps::nothing_to_do() {
  remember_generation();  // it is as this commit wants it, whoever made it so
  record_.seen_ms = tools_.clock.wall_ms();
  return report(HostResult::unchanged, "converged", "");
}

HostReport HostSteps::waits() {
  return {.host = record_.host, .result = HostResult::waiting, .detail = "another host takes this commit first"};
}

HostReport HostSteps::refused(const PlanReply& reply) {
  std::string why;
  for (const Refusal& one : reply.plan.refusals) {
    why += (why.empty() ? "" : "; ") + to_text(one.id) + ": " + one.what + (one.hint.empty() ? "" : ": " + one.hint) +
           (one.origin.position.file.empty() ? "" : " (" + to_text(one.origin.position) + ")");
  }
  if (record_.state != "refused" || record_.detail != printable(why)) {
    begin(reply);
    end(Outcome::refused, why);
    tell(Progress::Level::bad, "refused: " + why);
  }
  return report(HostResult::refused, "refused", why);
}

/// Where the host names what stands in the way (a backup that can't be taken), the next turn would meet it again.
HostReport HostSteps::refused_by_host(const TransactionReply& reply) {
  if (reply.changed) return disturbed(reply);
  if (!reply.failed_id.empty()) hold(wanted(), why_of(reply));
  end(Outcome::refused, why_of(reply));
  tell(Progress::Level::warning, "refused by the host: " + why_of(reply));
  return report(HostResult::refused, "refused", why_of(reply));
}

/// What is held, in the words of its hold.
std::string HostSteps::why_back() const {
  constexpr std::string_view held = "held: ";
  const std::string why = job_.standing ? job_.standing->why : "";
  return why.starts_with(held) ? why.substr(held.size()) : why;
}

HostReport HostSteps::confirm(const Verdict& verdict) {
  HOLDFAST_FAILPOINT("turn.healthy");
  const TransactionReply reply = fresh_->confirm(transaction_, epoch_, in(confirm_ms));
  HOLDFAST_FAILPOINT("turn.confirmed");
  if (reply.state != "confirmed") {  // the host has gone back meanwhile, and says why when it is asked
    return undone_by_host(fresh_->attach(
        transaction_, [this](const Value& event) { tell_event(event); }, in(rollback_ms)));
  }
  const bool repair = is_repair();
  was_confirmed(job_.commit.id, job_.desired->digest);  // before its deployment ends: nobody asks the host of it then
  if (repair) remember_fights();
  already_ = verdict.already;
  std::string note;
  if (!verdict.already.empty()) note = "failing before and after the change: " + joined(verdict.already);
  const std::string back = job_.goes_back ? why_back() : "";
  end(repair ? Outcome::repaired : Outcome::deployed, back + (back.empty() || note.empty() ? "" : "; ") + note);
  tell(note.empty() ? Progress::Level::good : Progress::Level::warning,
       std::string(repair ? "repaired" : "deployed ") + (repair ? "" : job_.commit.id.substr(0, 12)) +
           (note.empty() ? ", healthy" : "; " + note));
  if (!note.empty()) return report(HostResult::degraded, "degraded", note);
  return report(repair ? HostResult::repaired : HostResult::deployed, "converged", "");
}

HostReport HostSteps::roll_back(const std::string& why, const std::vector<std::string>& blamed) {
  tell(Progress::Level::bad, "not healthy: " + why);
  HOLDFAST_FAILPOINT("turn.unhealthy");
  tell_journal(blamed);  // before the rollback adds its own lines; bounded, so that it delays nothing
  return after_rollback(undo(why), why, wanted());
}

TransactionReply HostSteps::undo(const std::string& reason) {
  const auto on_event = [this](const Value& event) { tell_event(event); };
  try {
    RunnerClient& client = fresh_ && fresh_->alive() ? *fresh_ : **session_;
    return client.rollback(transaction_, epoch_, printable(reason), on_event, in(rollback_ms));
  } catch (const Error& error) {
    applied_ = true;
    TransactionReply reply = attach_again(error.what());
    if (reply.state == "pending") {  // the request was lost with the contact
      fresh_ = tools_.sessions.fresh(job_.desired->host, in(connect_ms));
      reply = fresh_->rollback(transaction_, epoch_, printable(reason), on_event, in(rollback_ms));
    }
    return reply;
  }
}

HostReport HostSteps::never_begun() {
  const std::string why = "nothing was done: contact was lost before the host had begun";
  end(Outcome::failed, why);
  tell(Progress::Level::bad, why);
  return report(HostResult::unreachable, "unreachable", why);
}

HostReport HostSteps::undone_by_host(const TransactionReply& reply) {
  return after_rollback(reply, why_of(reply), wanted());
}

HostReport HostSteps::after_rollback(const TransactionReply& reply, const std::string& why, const Undone& undone) {
  if (reply.state == "confirmed") {  // the confirmation had arrived after all
    const bool repair = is_repair();
    was_confirmed(job_.commit.id, job_.desired->digest);
    end(repair ? Outcome::repaired : Outcome::deployed, "");
    return report(repair ? HostResult::repaired : HostResult::deployed, "converged", "");
  }
  if (is_nobodys_fault(reply, undone.bundle)) return disturbed(reply);
  HOLDFAST_FAILPOINT("turn.undone");
  hold(undone, why);
  HOLDFAST_FAILPOINT("turn.held");
  if (reply.state != "rolled_back") {
    const std::string left =
        "the rollback failed too: " + why_of(reply) + (reply.left.empty() ? "" : "; " + joined(reply.left));
    end(Outcome::rollback_failed, why + "; " + left);
    tell(Progress::Level::bad, left);
    return report(HostResult::rollback_failed, "rollback_failed", why + "; " + left);
  }
  std::string detail = why;
  if (!reply.left.empty()) detail += "; left alone because somebody else changed it meanwhile: " + joined(reply.left);
  if (!record_.live_checks.empty()) {
    const Verdict old = watch(checks_from(record_.live_checks), job_.health, false);
    if (old.state == Verdict::State::healthy) {
      tell(Progress::Level::good, "rolled back to " + record_.live_commit.substr(0, 12) + ", which is healthy again");
    } else if (old.state == Verdict::State::wait) {
      tell(Progress::Level::warning, "rolled back; its health is not waited for: " + why_superseded());
    } else {
      detail += "; the old version is back but not healthy: " + old.why;
      tell(Progress::Level::bad, "the old version is back but not healthy: " + old.why);
    }
  } else {
    tell(Progress::Level::warning, "rolled back; there is no verified state of this host from before");
  }
  end(Outcome::rolled_back, detail);
  return report(HostResult::rolled_back, "held", detail);
}

void HostSteps::hold(const Undone& undone, const std::string& reason) {
  tools_.store.put_hold({.environment = job_.environment,
                         .host = record_.host,
                         .bundle = undone.bundle,
                         .commit = undone.commit,
                         .reason = printable(reason),
                         .since_ms = tools_.clock.wall_ms(),
                         .deployment = deployment_});
}

HostReport HostSteps::lost(const std::string& why) {
  if (session_) session_->discard();
  if (!applied_) {
    end(Outcome::failed, why);
    if (record_.state != "unreachable") tell(Progress::Level::bad, why);
    return report(HostResult::unreachable, "unreachable", why);
  }
  end(Outcome::unknown, why);
  tell(Progress::Level::bad, "unknown: " + why + "; the host undoes the transaction by itself unless it is confirmed");
  return report(HostResult::unknown, "unknown", why);
}

HostReport HostSteps::failed(const std::string& why) {
  if (applied_) return lost(why);
  end(Outcome::failed, why);
  if (record_.state != "failed") tell(Progress::Level::bad, why);
  return report(HostResult::failed, "failed", why);
}

void HostSteps::tell_journal(const std::vector<std::string>& blamed) {
  std::vector<std::string> units;
  for (const Check& check : job_.desired->lowered.checks) {
    if (std::ranges::find(blamed, check.name) == blamed.end()) continue;
    const Value* unit = check.spec.find("unit");
    constexpr std::string_view prefix = "SystemdUnit/";
    std::string name = unit != nullptr ? unit->text_or("name", "") : "";
    if (name.empty() && check.origin.resource.starts_with(prefix)) name = check.origin.resource.substr(prefix.size());
    if (!name.empty() && std::ranges::find(units, name) == units.end()) units.push_back(name);
  }
  for (const std::string& unit : units) {
    try {
      RunnerClient& client = fresh_ && fresh_->alive() ? *fresh_ : **session_;
      for (const std::string& line : client.journal(unit, journal_lines, in(journal_ms))) {
        tell(Progress::Level::detail, unit + " | " + line);
      }
    } catch (const Error& error) {
      tell(Progress::Level::detail, std::string("the journal of ") + unit + " can't be read: " + error.what());
    }
  }
}

std::string_view to_text(HostResult result) {
  switch (result) {
    case HostResult::unchanged:
      return "unchanged";
    case HostResult::deployed:
      return "deployed";
    case HostResult::repaired:
      return "repaired";
    case HostResult::degraded:
      return "degraded";
    case HostResult::rolled_back:
      return "rolled back";
    case HostResult::rollback_failed:
      return "rollback failed";
    case HostResult::refused:
      return "refused";
    case HostResult::failed:
      return "failed";
    case HostResult::unreachable:
      return "unreachable";
    case HostResult::unknown:
      return "unknown";
    case HostResult::held:
      return "held";
    case HostResult::waiting:
      return "waiting";
    case HostResult::contended:
      return "contended";
    case HostResult::drifted:
      return "drifted";
    case HostResult::disturbed:
      return "disturbed";
    case HostResult::suspended:
      return "suspended";
    case HostResult::observing:
      return "observing";
    case HostResult::busy:
      return "busy";
  }
  return "unknown";
}

}  // namespace holdfast
