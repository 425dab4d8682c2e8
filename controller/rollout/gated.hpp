#pragma once

#include <controller/rollout/host_turn.hpp>

#include <functional>
#include <string>
#include <vector>

namespace holdfast {

/// Asks the gates of an environment, where a host would take another desired state, and says in `waits` of its hosts
/// why they don't. What a person rolled back to is not gated, nor the rest of what has begun, but by windows and
/// freezes; an override opens all of them.
void hold_at_gates(const EnvironmentPoll& poll, const std::vector<Hold>& holds, std::vector<HostView>& views);

/// The turn of a host that is about to take another desired state: the same, or why it keeps the last one: a window
/// closed since the poll, or a gate of the host itself is closed, for which the host is asked.
Choice at_own_gates(const EnvironmentPoll& poll, const Choice& choice);

/// `may_begin` of a host's turn: what takes a new desired state has begun with it from then on.
std::function<bool()> gated(const EnvironmentPoll& poll, const Choice& choice, const std::function<bool()>& may_begin);

/// Who asked for what a host takes: with the override that let it past a closed gate.
std::string requested_by(const EnvironmentPoll& poll, const Choice& choice);

}  // namespace holdfast
