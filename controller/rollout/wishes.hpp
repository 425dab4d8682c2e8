#pragma once

#include <controller/rollout/host_turn.hpp>

#include <vector>

namespace holdfast {

/// What every host's turn should be for, from what is wanted, what is live, what is held, suspended and waits: asks the
/// environment's gates, and keeps their answers in the poll.
std::vector<Wish> wishes_of(EnvironmentPoll& poll);

/// The same by what the store says now and the gates said at the poll: quick, whatever gates there are.
std::vector<Wish> wishes_again(const EnvironmentPoll& poll);

}  // namespace holdfast
