#include <controller/gates/gates.hpp>

#include <controller/gates/command_gate.hpp>
#include <controller/plan/times.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/host/process.hpp>

#include <algorithm>
#include <chrono>

namespace holdfast {

namespace {

constexpr std::size_t kept_output_bytes = 16U << 10U;

/// How a host's backups of that policy fall short; "" where they do not.
std::string shortfall(const HostRecord& host, const Value& backup, const BackupGate& gate, std::int64_t now_ms) {
  const std::int64_t verified_ms = backup.int_or("verified_at_ms", 0);
  if (verified_ms <= 0) return host.host + " has none that is verified";
  if (now_ms - verified_ms <= gate.max_age_ms) return {};
  return "the newest of " + host.host + " is of " + utc_text(verified_ms);
}

const Value* backup_of(const Value& backups, const std::string& policy) {
  const auto found =
      std::ranges::find_if(backups.as_list(), [&](const Value& one) { return one.text_or("policy", "") == policy; });
  return found == backups.as_list().end() ? nullptr : &*found;
}

}  // namespace

GateAnswer ask(const BackupGate& gate, const std::vector<HostRecord>& hosts, std::int64_t now_ms) {
  GateAnswer answer{.gate = "backup " + gate.policy};
  const std::string wanted =
      "a verified backup of " + gate.policy + " must not be older than " + duration_text(gate.max_age_ms) + ": ";
  bool any = false;
  for (const HostRecord& host : hosts) {
    const Value backups = from_json(host.backups.empty() ? "[]" : host.backups);
    const Value* backup = backup_of(backups, gate.policy);
    if (backup == nullptr) continue;
    any = true;
    const std::string short_of = shortfall(host, *backup, gate, now_ms);
    if (short_of.empty()) continue;
    answer.why = wanted + short_of;
    return answer;
  }
  answer.open = any;
  if (!any) answer.why = wanted + "no host of the environment has this policy yet";
  return answer;
}

GateAnswer ask_here(const CommandGate& gate, const std::string& environment, const std::string& commit) {
  Command command{.argv = gate.argv,
                  .environment = {{"HOLDFAST_ENVIRONMENT", environment}, {"HOLDFAST_COMMIT", commit}},
                  .deadline = std::chrono::milliseconds(gate.within_ms),
                  .output_bytes = kept_output_bytes};
  try {
    const Output output = run_process(command, std::nullopt);
    return command_answer(
        gate, {.exit_code = output.exit_code, .output = output.out + output.err, .timed_out = output.timed_out});
  } catch (const Error& error) {
    return command_answer(gate, {.exit_code = -1, .output = error.what()});
  }
}

std::vector<GateAnswer> ask_environment(const GatesPolicy& gates, const std::string& environment,
                                        const std::string& commit, Store& store, std::int64_t now_ms,
                                        const SameFiles& same_files) {
  std::vector<GateAnswer> answers;
  for (const EnvironmentGate& gate : gates.environments) {
    std::vector<Undisturbed> hosts = store.undisturbed(gate.environment);
    for (Undisturbed& host : hosts) {
      if (host.commit != commit && !host.commit.empty() && same_files(host.commit)) host.commit = commit;
    }
    answers.push_back(ask(gate, commit, hosts, now_ms));
  }
  for (const BackupGate& gate : gates.backups) answers.push_back(ask(gate, store.hosts(environment), now_ms));
  for (const CommandGate& gate : gates.commands) {
    if (!gate.on_host) answers.push_back(ask_here(gate, environment, commit));
  }
  return answers;
}

}  // namespace holdfast
