#pragma once

#include <controller/notify/settings.hpp>
#include <controller/rollout/clock.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace holdfast {

/// `holdfast notify test [SINK]`: sends each sink, or that one, a message at once and says what came of it; a commit
/// status sink is only asked whether its token may see the repository. Returns 1 where one of them failed.
int notify_test_command(const std::vector<SinkSettings>& sinks, const std::string& only, const Clock& clock, bool json,
                        std::ostream& out);

}  // namespace holdfast
