#pragma once

#include <reconcilers/host/system.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast {

/// How long a restart kept a unit from being active, in milliseconds: from when it left that state to when it was in it
/// again, by systemd's own clock. nullopt where it did not do both since `begun_us` (monotonic), or systemd does not
/// say.
std::optional<std::int64_t> down_ms(System& system, const std::string& unit, std::int64_t begun_us);

/// The same for the text of `systemctl show`.
std::optional<std::int64_t> down_ms_of(std::string_view properties, std::int64_t begun_us);

/// The monotonic clock that systemd uses too, in microseconds.
std::int64_t monotonic_us();

}  // namespace holdfast
