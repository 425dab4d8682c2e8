#pragma once

#include <cstdint>
#include <string>

namespace holdfast {

/// "2026-11-21 14:03:09Z" of milliseconds since the epoch; "never" of 0.
std::string utc_text(std::int64_t ms);
/// Milliseconds of "2026-11-21T10:00:00Z"; 0 for another text.
std::int64_t ms_of_utc(const std::string& text);
/// "just now", "42 s ago", "5 min ago", "3 h ago", "12 d ago".
std::string ago_text(std::int64_t ms, std::int64_t now_ms);
/// "35 ms", "0.4 s", "12 s", "3 min 20 s".
std::string duration_text(std::int64_t ms);

}  // namespace holdfast
