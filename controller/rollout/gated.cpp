#include <controller/rollout/gated.hpp>

#include <controller/audit/audit.hpp>
#include <controller/gates/calendar.hpp>
#include <controller/gates/host_gates.hpp>
#include <controller/gates/override.hpp>
#include <controller/gates/waits.hpp>
#include <controller/rollout/approval_gate.hpp>
#include <controller/rollout/halt.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <chrono>
#include <set>

namespace holdfast {

namespace {

constexpr std::int64_t connect_ms = 20'000;
constexpr std::size_t audit_id_digits = 32;

Store& store_of(const EnvironmentPoll& poll) { return poll.tools.host.store; }
const std::string& name_of(const EnvironmentPoll& poll) { return poll.job.environment.name; }
const std::string& commit_of(const EnvironmentPoll& poll) { return poll.desired->commit.id; }
const GatesPolicy& gates_of(const EnvironmentPoll& poll) { return poll.desired->environment.gates; }
std::int64_t now_of(const EnvironmentPoll& poll) { return poll.tools.host.clock.wall_ms(); }

bool has_gates(const GatesPolicy& gates) {
  const bool asks = !gates.environments.empty() || !gates.backups.empty() || !gates.commands.empty();
  return asks || asks_hosts(gates) || !gates.windows.empty() || !gates.freezes.empty();
}

void tell(const EnvironmentPoll& poll, const std::string& host, const std::string& line) {
  const OnProgress& on_progress = poll.tools.host.on_progress;
  if (on_progress)
    on_progress({Progress::Level::step, name_of(poll), host, commit_of(poll).substr(0, 12) + " " + line});
}

std::optional<Override> override_now(const EnvironmentPoll& poll) {
  return override_of(store_of(poll), name_of(poll), commit_of(poll), now_of(poll));
}

std::vector<GateAnswer> ask_calendar_of(const EnvironmentPoll& poll) {
  const Begun begun = begun_in(store_of(poll), name_of(poll));
  return ask_calendar(gates_of(poll), now_of(poll), begun.overruns && begun.commit == commit_of(poll));
}

std::vector<GateAnswer> ask_all(const EnvironmentPoll& poll) {
  std::vector<GateAnswer> answers = ask_calendar_of(poll);
  if (begun_in(store_of(poll), name_of(poll)).commit == commit_of(poll)) return answers;
  const SameFiles same_files = [&poll](const std::string& commit) {
    const std::scoped_lock lock(poll.tools.git);
    return poll.tools.mirror.same_files(commit, commit_of(poll));
  };
  std::ranges::copy(
      ask_environment(gates_of(poll), name_of(poll), commit_of(poll), store_of(poll), now_of(poll), same_files),
      std::back_inserter(answers));
  return answers;
}

/// What the override lets the commit past is told, and written for the audit, when it does so first. Written before it
/// is noted as used: who is killed in between writes the same entry again.
void use(const EnvironmentPoll& poll, Override given, const std::string& host, const std::vector<GateAnswer>& answers) {
  std::vector<std::string> past;
  std::string text;
  for (const GateAnswer& answer : answers) {
    if (answer.open) continue;
    past.push_back((host.empty() ? "" : host + ": ") + printable(answer.why));
    text += (text.empty() ? "" : "; ") + past.back();
  }
  if (given.used || past.empty()) return;
  const std::string name = "override " + given.environment + " " + given.commit + " " + std::to_string(given.since_ms);
  store_of(poll).add_audit(
      {.kind = "override",
       .environment = given.environment,
       .revision = given.commit,
       .outcome = "override used",
       .by = given.by,
       .reason = given.reason,
       .subject = poll.desired->commit.summary,
       .at_ms = now_of(poll),
       .record = Map{{"since_ms", given.since_ms}, {"until_ms", given.until_ms}, {"past", Value::texts(past)}},
       .id = sha256(name).substr(0, audit_id_digits)});
  given.used = true;
  put_override(store_of(poll), given);
  tell(poll, "", "does not wait, by " + override_text(given) + "; past: " + text);
}

std::string remember(const EnvironmentPoll& poll, const std::string& host, const std::vector<GateAnswer>& answers) {
  return remember_answers(store_of(poll), {.environment = name_of(poll), .host = host, .commit = commit_of(poll)},
                          answers, now_of(poll), [&](const std::string& line) { tell(poll, host, line); });
}

/// Hosts that do not take anything now wait for nothing of their own.
void forget_waits(const EnvironmentPoll& poll, const std::set<std::string>& advancing) {
  std::set<std::string> hosts;
  for (const Wait& wait : store_of(poll).waits(name_of(poll))) {
    if (!wait.host.empty() && !advancing.contains(wait.host)) hosts.insert(wait.host);
  }
  for (const std::string& host : hosts) store_of(poll).put_waits(name_of(poll), host, {});
}

std::vector<GateAnswer> ask_host_of(const EnvironmentPoll& poll, const std::string& name) {
  const Host& host = *std::ranges::find(poll.desired->environment.hosts, name, &Host::name);
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(connect_ms);
  try {
    return poll.tools.host.sessions.ask(
        host, deadline, [&](RunnerClient& client) { return ask_host(gates_of(poll), host, client, now_of(poll)); });
  } catch (const Error& error) {
    return {{.gate = "host", .why = std::string("its gates can't be asked: ") + error.what()}};
  }
}

Choice keep_last(const EnvironmentPoll& poll, const Choice& choice, const std::string& why) {
  const auto record = store_of(poll).host(name_of(poll), choice.host);
  return {choice.host, record && !record->live_bundle.empty() ? Turn::enforce : Turn::leave, "waiting: " + why};
}

std::string closed_words(const std::vector<GateAnswer>& answers) {
  std::string text;
  for (const GateAnswer& one : answers) {
    if (!one.open) text += (text.empty() ? "" : "; ") + one.why;
  }
  return text;
}

}  // namespace

void hold_at_gates(const EnvironmentPoll& poll, const std::vector<Hold>& holds, std::vector<HostView>& views) {
  const std::vector<Choice> choices = choose(views, holds);
  std::set<std::string> advancing;
  for (const Choice& one : choices) {
    if (one.turn == Turn::advance) advancing.insert(one.host);
  }
  if (advancing.empty()) forget_begun(store_of(poll), name_of(poll));
  std::vector<GateAnswer> answers;
  if (!advancing.empty() && !poll.by_hand) {
    answers = ask_all(poll);
    const bool halts = poll.desired->environment.rollout.on_failure == OnFailure::halt;
    if (const auto answer = halts ? halted(store_of(poll), name_of(poll), holds) : std::nullopt) {
      answers.insert(answers.begin(), *answer);
    }
  }
  if (const auto given = override_now(poll)) {
    use(poll, *given, "", answers);
    answers.clear();
  }
  const ApprovalAnswers approval = ask_approval(poll, choices, views);  // which no override takes the place of
  answers.insert(answers.end(), approval.environment.begin(), approval.environment.end());
  const std::string waits = remember(poll, "", answers);
  forget_waits(poll, waits.empty() ? advancing : std::set<std::string>{});
  for (HostView& view : views) {
    if (!view.waits.empty()) continue;
    const auto alone = approval.hosts.find(view.host);
    view.waits = waits.empty() && alone != approval.hosts.end() ? alone->second : waits;
  }
}

Choice at_own_gates(const EnvironmentPoll& poll, const Choice& choice) {
  if (choice.turn != Turn::advance || poll.by_hand || !has_gates(gates_of(poll))) return choice;
  if (const auto given = override_now(poll)) {
    if (!given->used && asks_hosts(gates_of(poll))) use(poll, *given, choice.host, ask_host_of(poll, choice.host));
    return choice;
  }
  const std::string closed = closed_words(ask_calendar_of(poll));
  if (!closed.empty()) return keep_last(poll, choice, closed);
  if (!asks_hosts(gates_of(poll))) return choice;
  const std::string waits = remember(poll, choice.host, ask_host_of(poll, choice.host));
  return waits.empty() ? choice : keep_last(poll, choice, waits);
}

std::function<bool()> gated(const EnvironmentPoll& poll, const Choice& choice, const std::function<bool()>& may_begin) {
  if (choice.turn != Turn::advance || poll.by_hand || !has_gates(gates_of(poll))) return may_begin;
  return [&poll, may_begin] {
    const bool closed = !override_now(poll) && !closed_words(ask_calendar_of(poll)).empty();
    if (closed || !may_begin()) return false;
    remember_begun(store_of(poll), name_of(poll), {commit_of(poll), may_overrun(gates_of(poll), now_of(poll) / 1000)});
    return true;
  };
}

std::string requested_by(const EnvironmentPoll& poll, const Choice& choice) {
  const auto given = choice.turn == Turn::advance ? override_now(poll) : std::nullopt;
  return poll.job.requested_by + (given && given->used ? ", " + override_text(*given) : "");
}

}  // namespace holdfast
