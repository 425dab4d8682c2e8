#pragma once

#include <reconcilers/host/state.hpp>
#include <reconcilers/host/system.hpp>

#include <cstdint>
#include <string>

namespace holdfast {

/// Confirms a pending transaction: the journal first, then everything that follows from it. Gives the state in which
/// the transaction is afterwards: "confirmed" also where it already was; another where there was nothing to confirm.
/// Throws Error on a lower epoch than the host has seen, and where the lock can't be had.
std::string confirm_transaction(System& system, const State& state, const std::string& id, std::int64_t epoch);

/// Finishes what a confirmation that was cut off left to do. Does nothing otherwise.
void settle_confirmed(System& system, const State& state);

}  // namespace holdfast
