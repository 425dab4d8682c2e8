#include <controller/cli/plan_gates.hpp>

#include <controller/gates/calendar.hpp>
#include <controller/gates/host_gates.hpp>
#include <controller/gates/override.hpp>
#include <controller/rollout/parallel.hpp>
#include <manifests/error.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>

namespace holdfast {

namespace {

constexpr std::int64_t ask_ms = 60'000;

void note(HostPlan& host, const std::vector<GateAnswer>& answers) {
  for (const GateAnswer& one : answers) {
    if (one.open) continue;
    host.notes.push_back("would wait: " + one.why + (one.found.empty() ? "" : " (" + one.found + ")"));
  }
}

std::vector<GateAnswer> ask_one(Context& context, const Desired& desired, const std::string& name) {
  const Host& host = *std::ranges::find(desired.environment.hosts, name, &Host::name);
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(ask_ms);
  try {
    return context.sessions->ask(host, deadline, [&](RunnerClient& client) {
      return ask_host(desired.environment.gates, host, client, context.clock.wall_ms());
    });
  } catch (const Error& error) {
    return {{.gate = "host", .why = std::string("its gates can't be asked: ") + error.what()}};
  }
}

}  // namespace

void tell_gates(Context& context, const Desired& desired, std::vector<HostPlan>& hosts) {
  const std::int64_t now_ms = context.clock.wall_ms();
  const GatesPolicy& gates = desired.environment.gates;
  std::vector<HostPlan*> changed;
  for (HostPlan& host : hosts) {
    if (!host.plan.actions.empty()) changed.push_back(&host);
  }
  if (changed.empty()) return;
  if (const auto given = override_of(*context.store, desired.environment.name, desired.commit.id, now_ms)) {
    for (HostPlan* host : changed) host->notes.push_back("waits for no gate, by " + override_text(*given));
    return;
  }
  std::vector<GateAnswer> answers = ask_calendar(gates, now_ms, false);
  const auto mirror = open_mirror(context.settings);
  std::ranges::copy(
      ask_environment(gates, desired.environment.name, desired.commit.id, *context.store, now_ms,
                      [&](const std::string& commit) { return mirror->same_files(commit, desired.commit.id); }),
      std::back_inserter(answers));
  for (HostPlan* host : changed) note(*host, answers);
  if (!asks_hosts(gates)) return;
  in_parallel(changed, context.settings.workers,
              [&](HostPlan* host) { note(*host, ask_one(context, desired, host->host)); });
}

}  // namespace holdfast
