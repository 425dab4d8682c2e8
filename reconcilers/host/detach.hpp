#pragma once

#include <reconcilers/host/system.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// The path of the running program.
std::string own_program();
/// Arguments to run this program on the same root: {program, "--root", root, …}.
std::vector<std::string> own_command(const System& system, const std::vector<std::string>& arguments);

/// Starts this program so that it outlives the session that we are part of: as the transient systemd unit
/// `unit`.service, where a second start of the same name is refused; without systemd as a child in a session of its
/// own. `on_end` (may be empty) is what systemd runs when it ended, whatever ended it. Throws Error where it does not
/// start.
void start_detached(System& system, const std::string& unit, const std::vector<std::string>& arguments,
                    const std::vector<std::string>& on_end = {});

}  // namespace holdfast
