#pragma once

#include <controller/rollout/progress.hpp>

#include <string>

namespace holdfast {

enum class LogFormat { text, json };

/// The daemon's log on standard output, one line an event, with time, level, environment and host; the journal or
/// whatever collects it keeps it. `level` is debug, info, warn or error (Throws Error for another). As JSON the record
/// is made by our own encoder: the library's pattern does not escape messages.
OnProgress daemon_log(LogFormat format, const std::string& level);

}  // namespace holdfast
