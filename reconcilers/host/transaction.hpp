#pragma once

#include <reconcilers/host/state.hpp>
#include <reconcilers/host/system.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// Runs a prepared transaction (its request is written) to `pending`, or back to where the host was. The journal has
/// every outcome; nothing is thrown for what a host does. Running one a second time does nothing.
void run_transaction(System& system, const State& state, const std::string& id);

enum class RecoverTime { due, now, booting };

/// Undoes what is open: `due` when its runner is dead or its confirmation is overdue, `now` because someone asked to,
/// `booting` before services start (then a second call finishes it). Nothing happens while its runner lives.
void recover_transaction(System& system, const State& state, RecoverTime time, const std::string& reason);

/// Ends a transaction whose runner died before it was the host's open one: it has no effect, and never will. Nothing
/// happens to any other.
void close_unopened(System& system, const State& state, const std::string& id);

/// `holdfast-host recover [--now | --boot] [TRANSACTION]`: what timers, units and a runner that takes over start.
void recover(System& system, const State& state, const std::vector<std::string>& words);

}  // namespace holdfast
