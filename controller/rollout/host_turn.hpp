#pragma once

#include <controller/rollout/environment_run.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace holdfast {

/// What one poll of an environment found: kept alive by every host's turn that began for it.
struct EnvironmentPoll {
  EnvironmentJob job{};
  EnvironmentTools tools;
  std::shared_ptr<const Desired> desired{};
  bool by_hand = false;  // a person's rollback is in force
  std::map<std::string, std::string> waits{};  // why hosts may not take it yet, by name, as the gates said
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
};

struct HostTurn {
  HostReport report{};
  HostResult outcome = HostResult::unchanged;  // of contact with the host: a held one may be out of reach as well
  bool asked = true;                           // false: the host was left alone
};

/// What a turn asks its schedule while it lasts; see HostJob.
struct TurnQuestions {
  std::function<bool()> may_begin{};
  std::function<std::string()> superseded{};
};

/// One host's turn by its choice: what is wanted, or the last verified state while that is held or waits. Throws Error
/// only when the store or the mirror can't be used.
HostTurn take_host_turn(EnvironmentPoll& poll, const Choice& choice, std::int64_t seen_ms,
                        const TurnQuestions& questions);

/// What a host does whose commit failed on another one meanwhile.
Choice wait_for_fix(Store& store, const std::string& environment, const std::string& host);

}  // namespace holdfast
