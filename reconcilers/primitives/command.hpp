#pragma once

#include <reconcilers/primitives/loaded.hpp>
#include <reconcilers/primitives/primitive_kind.hpp>

#include <string>

namespace holdfast {

/// What a command that is guarded by `loads` runs for: its program with arguments, and the states of what it names.
std::string command_digest(const Wanted& wanted, const LoadedStates& states);

/// Whether a move to that state runs the command; if not, the move undoes it.
bool is_command_goal(const Wanted& wanted, const Attributes& to);

}  // namespace holdfast
