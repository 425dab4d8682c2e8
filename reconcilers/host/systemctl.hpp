#pragma once

#include <reconcilers/host/system.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// What systemd says of one unit; texts are its own words.
struct UnitStatus {
  std::string id{};          // another name than asked for where that is an alias
  std::string load{};        // "loaded", "not-found", "masked", "bad-setting", "error"
  std::string active{};      // "active", "reloading", "activating", "deactivating", "inactive", "failed"
  std::string sub{};         // "running", "auto-restart", "exited", …
  std::string file_state{};  // "enabled", "static", …; empty for a unit without a file
  std::string type{};        // "simple", "notify", …; empty for what is no service
  std::string result{};      // "success", "exit-code", …
  std::string invocation{};  // empty for a unit that never ran
  bool needs_daemon_reload = false;
  bool can_reload = false;
  std::int64_t restarts = 0;
  std::int64_t started_monotonic_us = 0;  // the main process's start, else when it became active; 0: not running
  std::int64_t changed_monotonic_us = 0;  // the last change of `sub`: a start, or a reload by whomever
};

/// The blocks of `systemctl show`, in their order.
std::vector<UnitStatus> parse_units(std::string_view text);

/// One `systemctl show` for all of them: as many answers as names, in their order. A name that is no unit's is answered
/// as not found. Throws Error where systemd can't be asked.
std::vector<UnitStatus> show_units(const System& system, const std::vector<std::string>& names);

/// "nginx.service", "app@1.service": safe to be an argument of systemctl.
bool is_unit_argument(std::string_view name);

}  // namespace holdfast
