#pragma once

#include <reconcilers/host/state.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace holdfast {

/// `holdfast-host status | history | show TRANSACTION`: what the host itself knows, for a person who is on it and has
/// no controller at hand. With `--json` one JSON value in place of lines; `show` then gives the journal's records as
/// they are. Reads only. Returns 0, or 2 for a command line that is none; throws Error for a transaction that isn't
/// there.
int tell_command(const State& state, const std::vector<std::string>& words, std::ostream& output);

}  // namespace holdfast
