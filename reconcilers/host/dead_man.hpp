#pragma once

#include <reconcilers/host/state.hpp>
#include <reconcilers/host/system.hpp>

#include <cstdint>
#include <string>

namespace holdfast {

/// Arms what undoes a transaction that nobody confirms: a timer that asks again and again from `deadman_ms` on, and a
/// boot unit that undoes it before services start. Without systemd, a process that waits. Both call `recover`, which
/// knows whether there is something to do.
void arm_dead_man(System& system, const State& state, const std::string& transaction, std::int64_t deadman_ms);
/// Ends the timer. The boot unit stays: without an open transaction it does nothing.
void disarm_dead_man(System& system, const std::string& transaction);

/// True while systemd stops everything.
bool is_shutting_down(System& system);

/// The process that waits where there is no systemd: calls `recover` from the deadline on until the transaction is at
/// its end.
void watch_dead_man(System& system, const State& state, const std::string& transaction, std::int64_t deadman_ms);

}  // namespace holdfast
