#include <controller/rollout/gated.hpp>

#include <controller/gates/waits.hpp>

#include <algorithm>

namespace holdfast {

namespace {

std::vector<GateAnswer> ask_all(const EnvironmentPoll& poll) {
  Store& store = poll.tools.host.store;
  const std::int64_t now_ms = poll.tools.host.clock.wall_ms();
  std::vector<GateAnswer> answers;
  for (const EnvironmentGate& gate : poll.desired->environment.gates.environments) {
    answers.push_back(ask(gate, poll.desired->commit.id, store.undisturbed(gate.environment), now_ms));
  }
  return answers;
}

}  // namespace

void hold_at_gates(const EnvironmentPoll& poll, const std::vector<Hold>& holds, std::vector<HostView>& views) {
  Store& store = poll.tools.host.store;
  const std::string& environment = poll.job.environment.name;
  const std::string& commit = poll.desired->commit.id;
  const bool advances =
      std::ranges::any_of(choose(views, holds), [](const Choice& one) { return one.turn == Turn::advance; });
  if (!advances) forget_begun(store, environment);
  const bool asked = advances && !poll.by_hand && !has_begun(store, environment, commit);
  const std::string waits =
      remember_answers(store, {.environment = environment, .commit = commit},
                       asked ? ask_all(poll) : std::vector<GateAnswer>{}, poll.tools.host.clock.wall_ms(),
                       [&](const std::string& line) {
                         const OnProgress& tell = poll.tools.host.on_progress;
                         if (tell) tell({Progress::Level::step, environment, "", commit.substr(0, 12) + " " + line});
                       });
  for (HostView& view : views) view.waits = waits;
}

std::function<bool()> gated(const EnvironmentPoll& poll, const Choice& choice, const std::function<bool()>& may_begin) {
  if (choice.turn != Turn::advance || poll.by_hand) return may_begin;
  return [&poll, may_begin] {
    if (!may_begin()) return false;
    remember_begun(poll.tools.host.store, poll.job.environment.name, poll.desired->commit.id);
    return true;
  };
}

}  // namespace holdfast
