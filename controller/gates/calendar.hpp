#pragma once

#include <controller/gates/gates.hpp>
#include <manifests/gates_policy.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace holdfast {

// When hosts may take a commit: windows and freezes. Pure; moments are seconds of UTC since the epoch.

bool is_in(const Window& window, std::int64_t utc_s);
bool is_in(const Freeze& freeze, std::int64_t utc_s);
/// In a window, where there are any, and in no freeze.
bool is_open(const GatesPolicy& gates, std::int64_t utc_s);
/// The first moment from `utc_s` on that is open; nothing where there is none.
std::optional<std::int64_t> next_opening(const GatesPolicy& gates, std::int64_t utc_s);
/// A rollout that begins at this moment may go on when its window closes.
bool may_overrun(const GatesPolicy& gates, std::int64_t utc_s);

/// Windows and freezes as gates; a rollout that `overruns` goes on when its window closes, but not in a freeze.
std::vector<GateAnswer> ask_calendar(const GatesPolicy& gates, std::int64_t now_ms, bool overruns);

}  // namespace holdfast
