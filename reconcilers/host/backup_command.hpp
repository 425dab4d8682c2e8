#pragma once

#include <reconcilers/host/system.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace holdfast {

/// Runs `holdfast-host backup …` as a process of its own: what a database does to the program that reads it stays
/// there. Events come as they are told; gives the result (docs/protocol.md, backup_run). Throws Error where it gave
/// none.
Value run_backup_command(System& system, const std::vector<std::string>& arguments, std::chrono::milliseconds timeout,
                         const std::function<void(const Value& event)>& on_event);

}  // namespace holdfast
