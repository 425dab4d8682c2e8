#pragma once

#include <controller/health/health.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast {

/// How busy a host has been since it was booted, and what of its memory is used. A host in a container is the
/// container: its own control group counts, and the limits that are set for it.
struct HostLoad {
  double uptime_s = 0;    // the host's own clock
  double cpu_s = 0;       // processor time of everything on it
  double processors = 0;  // that it may use
  double memory = 0;      // the used part of its memory, without what the kernel gives back at need
};

/// Asks the host for it. Throws Error where contact is lost, and where the host does not say it.
HostLoad host_load(HostProbe& probe, Deadline deadline);

/// Out of what `head` prints of the kernel's files; nullopt where something is missing or is no number.
std::optional<HostLoad> read_host_load(std::string_view text);

/// The part of all processors that was busy between two looks; nullopt where nothing can be said of it (no time has
/// passed, the host was booted meanwhile).
std::optional<double> busy_between(const HostLoad& before, const HostLoad& after);

}  // namespace holdfast
