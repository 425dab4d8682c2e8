#pragma once

#include <reconcilers/primitives/primitive_kind.hpp>

#include <string>

namespace holdfast {

/// The parameters that say how a command's programs run: user, environment, environment_file, timeout_ms. They are the
/// same for `run`, `unless` and `undo`.
inline constexpr const char* command_parameters[] = {"user", "environment", "environment_file", "timeout_ms"};

/// Where a folder really is: every symbolic link in it followed, as far as the system trusts them.
std::string real_folder(const System& system, const std::string& folder);

/// Whether the `unless` program of these parameters exits with 0, asked in `folder`. What can't be started yet (no such
/// account, program or folder) is not done yet. Throws Error where it doesn't end in time.
bool is_done_already(const System& system, const Value& parameters, const std::string& folder);

/// Runs `argv` in `folder`, after stopping the units of `stops`; tells and keeps what it says. Throws Error where it
/// fails. `could_start` is set to false where the program did not even begin.
void run_command(Effects& effects, const std::string& name, const Value& arguments, const std::string& folder,
                 bool& could_start);

/// The same for an undo: reads what the command put out as its standard input.
void run_undo(Effects& effects, const std::string& name, const Value& arguments, const std::string& folder);

}  // namespace holdfast
