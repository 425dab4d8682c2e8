#pragma once

#include <controller/rollout/host_turn.hpp>

#include <functional>
#include <vector>

namespace holdfast {

/// Asks the gates of an environment, where a host would take another desired state, and says in `waits` of its hosts
/// why they don't. What a person rolled back to is not gated, nor the rest of what has begun.
void hold_at_gates(const EnvironmentPoll& poll, const std::vector<Hold>& holds, std::vector<HostView>& views);

/// `may_begin` of a host's turn: what takes a new desired state has begun with it from then on.
std::function<bool()> gated(const EnvironmentPoll& poll, const Choice& choice, const std::function<bool()>& may_begin);

}  // namespace holdfast
