#pragma once

#include <controller/audit/audit.hpp>
#include <controller/rollout/choice.hpp>
#include <controller/rollout/desired.hpp>
#include <controller/rollout/progress.hpp>
#include <controller/store/store.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// "suspended by alice since 2026-11-21 14:02:11Z: kernel tests; until 2026-11-21 18:02:11Z". Without what is suspended.
std::string to_text(const Suspension& suspension);
/// What is suspended: "production", "production on web1", "application cvd of production on web1".
std::string scope_text(const Suspension& suspension);

/// What keeps a whole host from being changed now: its own suspension, or the environment's. None where there is none,
/// or its time is over.
std::optional<Suspension> suspension_of(const std::vector<Suspension>& suspensions, const std::string& host,
                                        std::int64_t now_ms);
/// The applications that are suspended on a host now.
std::vector<std::string> suspended_apps(const std::vector<Suspension>& suspensions, const std::string& host,
                                        std::int64_t now_ms);

/// Whether a manifest belongs to an application: it is that resource ("Release/cvd"), or stands in that file or below
/// that folder; a folder or file is named by its path in the fleet, or by its last part without an extension ("cvd").
bool belongs_to(const Origin& origin, const std::string& app);
/// The names that belongs_to() knows for these resources, for people who named another one: folders and files.
std::vector<std::string> known_apps(const std::vector<Origin>& origins);

/// The desired state of a host while some of its applications are left as they are: another one than without, so that
/// what waited is deployed like any commit when they are not left any more. Their health checks are not asked.
void leave_apps(HostDesired& desired, const std::vector<std::string>& apps);
/// The ids of what leave_apps() marked.
std::vector<std::string> left_ids(const HostDesired& desired);

/// What the audit branch is told: `kind` is "suspend" or "resume".
AuditEntry audit_of(const Suspension& suspension, const std::string& kind, const std::string& by, std::int64_t at_ms);

/// Ends what is over. Each is told, and written for the audit, by whoever ends it: once.
void end_expired_suspensions(Store& store, const std::string& environment, std::int64_t now_ms,
                             const OnProgress& on_progress);

}  // namespace holdfast
