#include <controller/rollout/suspension.hpp>

#include <controller/plan/times.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

namespace {

constexpr const char* mark = "suspended";

bool is_about(const Suspension& one, const std::string& host, std::int64_t now_ms) {
  return now_ms < one.until_ms && (one.host.empty() || one.host == host);
}

std::string without_extension(const std::string& name) {
  for (const char* extension : {".yaml", ".yml"}) {
    if (name.ends_with(extension)) return name.substr(0, name.rfind('.'));
  }
  return name;
}

/// "deploy/cvd/app.yaml": deploy, deploy/cvd, and the file itself.
std::vector<std::string> places_of(const std::string& file) {
  std::vector<std::string> places;
  for (std::size_t slash = file.find('/'); slash != std::string::npos; slash = file.find('/', slash + 1)) {
    places.push_back(file.substr(0, slash));
  }
  places.push_back(file);
  return places;
}

std::string last_part(const std::string& place) { return without_extension(place.substr(place.rfind('/') + 1)); }

}  // namespace

std::string to_text(const Suspension& one) {
  return "suspended by " + one.by + " since " + utc_text(one.since_ms) + ": " + one.reason + "; until " +
         utc_text(one.until_ms);
}

std::string scope_text(const Suspension& one) {
  return (one.app.empty() ? "" : "application " + one.app + " of ") + one.environment +
         (one.host.empty() ? "" : " on " + one.host);
}

std::optional<Suspension> suspension_of(const std::vector<Suspension>& suspensions, const std::string& host,
                                        std::int64_t now_ms) {
  const auto found = std::ranges::find_if(
      suspensions, [&](const Suspension& one) { return one.app.empty() && is_about(one, host, now_ms); });
  return found == suspensions.end() ? std::nullopt : std::optional(*found);
}

std::vector<std::string> suspended_apps(const std::vector<Suspension>& suspensions, const std::string& host,
                                        std::int64_t now_ms) {
  std::set<std::string> apps;
  for (const Suspension& one : suspensions) {
    if (!one.app.empty() && is_about(one, host, now_ms)) apps.insert(one.app);
  }
  return {apps.begin(), apps.end()};
}

bool belongs_to(const Origin& origin, const std::string& app) {
  if (origin.resource == app) return true;
  return std::ranges::any_of(places_of(origin.position.file),
                             [&](const std::string& place) { return place == app || last_part(place) == app; });
}

std::vector<std::string> known_apps(const std::vector<Origin>& origins) {
  std::set<std::string> names;
  for (const Origin& origin : origins) {
    for (const std::string& place : places_of(origin.position.file)) names.insert(last_part(place));
  }
  return {names.begin(), names.end()};
}

void leave_apps(HostDesired& desired, const std::vector<std::string>& apps) {
  if (apps.empty()) return;
  const auto is_left = [&apps](const Origin& origin) {
    return std::ranges::any_of(apps, [&](const std::string& app) { return belongs_to(origin, app); });
  };
  for (Wanted& wanted : desired.lowered.bundle.wanted) {
    if (is_left(wanted.origin)) wanted.parameters[mark] = true;
  }
  std::erase_if(desired.lowered.checks, [&](const Check& check) { return is_left(check.origin); });
  desired.digest = digest_of(desired.lowered.bundle);
}

std::vector<std::string> left_ids(const HostDesired& desired) {
  std::vector<std::string> ids;
  for (const Wanted& wanted : desired.lowered.bundle.wanted) {
    if (wanted.parameters.contains(mark)) ids.push_back(to_text(wanted.id));
  }
  return ids;
}

AuditEntry audit_of(const Suspension& one, const std::string& kind, const std::string& by, std::int64_t at_ms) {
  AuditEntry entry{.kind = kind,
                   .environment = one.environment,
                   .outcome = kind == "suspend" ? "suspended" : "resumed",
                   .by = by,
                   .reason = one.reason,
                   .at_ms = at_ms,
                   .record = Map{{"host", one.host},
                                 {"app", one.app},
                                 {"suspended_by", one.by},
                                 {"since_ms", one.since_ms},
                                 {"until_ms", one.until_ms}}};
  if (!one.host.empty()) entry.hosts.push_back(one.host);
  return entry;
}

void end_expired_suspensions(Store& store, const std::string& environment, std::int64_t now_ms,
                             const OnProgress& on_progress) {
  for (const Suspension& one : store.suspensions(environment)) {
    if (now_ms < one.until_ms || !store.remove_suspension(one)) continue;
    store.add_audit(audit_of(one, "resume", "its end", now_ms));
    if (on_progress) {
      on_progress({Progress::Level::warning, environment, one.host,
                   "its time is over: " + scope_text(one) + " is no longer " + to_text(one)});
    }
  }
}

}  // namespace holdfast
