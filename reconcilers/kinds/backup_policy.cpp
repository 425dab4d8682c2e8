#include <reconcilers/backup/policy.hpp>
#include <reconcilers/kinds/calendar.hpp>
#include <reconcilers/kinds/kind.hpp>

#include <manifests/formats.hpp>
#include <manifests/json.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr const char* program = "/var/lib/holdfast/bin/holdfast-host";
constexpr std::int64_t spare_ms = 2LL * 3'600'000;
constexpr std::int64_t least_spare_ms = 10LL * 60'000;
constexpr std::int64_t stop_s = 60;

std::vector<std::string> schedule_of(Lowering& to) {
  const Value* schedule = to.spec().find("schedule");
  if (schedule == nullptr) return {};
  return schedule->is_text() ? std::vector<std::string>{schedule->as_text()} : schedule->as_texts();
}

/// The longest pause of the schedule; 0 where there is none.
std::int64_t check_schedule(Lowering& to, const std::vector<std::string>& schedule) {
  const bool one = to.spec().find("schedule") != nullptr && to.spec().at("schedule").is_text();
  std::int64_t pause_s = 0;
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    const Calendar calendar = read_calendar(schedule[i]);
    if (!calendar.fault.empty()) {
      to.problem("/spec/schedule" + (one ? "" : "/" + std::to_string(i)),
                 "\"" + schedule[i] + "\" is no calendar expression: " + calendar.fault, calendar.hint);
    } else if (pause_s == 0 || calendar.longest_pause_s < pause_s) {
      pause_s = calendar.longest_pause_s;
    }
  }
  return pause_s;
}

/// How old the newest backup may be before one was missed: 26 hours for a daily one.
std::int64_t max_age_ms(Lowering& to, std::int64_t pause_s) {
  if (const Value* written = to.spec().find("maxAge")) return duration_ms(written->as_text());
  if (pause_s == 0) return 0;
  const std::int64_t pause_ms = pause_s * 1000;
  return pause_ms + std::min(spare_ms, std::max(pause_ms, least_spare_ms)) +
         duration_ms(to.spec().text_or("randomizedDelay", "0s"));
}

std::vector<BackupSource> sources_of(Lowering& to) {
  std::vector<BackupSource> sources;
  std::size_t index = 0;
  for (const Value& written : to.spec().at("sources").as_list()) {
    const std::string pointer = "/spec/sources/" + std::to_string(index++);
    BackupSource source;
    if (const Value* sqlite = written.find("sqlite")) {
      source.engine = BackupEngine::sqlite;
      source.path = sqlite->at("path").as_text();
    } else if (const Value* postgres = written.find("postgres")) {
      source.engine = BackupEngine::postgres;
      source.database = postgres->at("database").as_text();
      source.user = postgres->text_or("user", "postgres");
      source.host = postgres->text_or("host", "");
      source.port = postgres->int_or("port", 0);
    } else if (const Value* files = written.find("files")) {
      source.paths = files->at("paths").as_texts();
      if (const Value* exclude = files->find("exclude")) source.exclude = exclude->as_texts();
    } else {
      continue;  // the schema has told it
    }
    for (const std::string& path : paths_of(source)) {
      if (path == "/")
        to.problem(pointer, "\"/\" can't be a source: it holds the backups too", "name folders below it");
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

void set_free_space(Lowering& to, BackupPolicy& policy) {
  const std::string text = to.spec().text_or("freeSpace", "5%");
  const std::int64_t number = std::stoll(text);
  if (text.ends_with('%')) {
    policy.free_percent = number;
    return;
  }
  const std::string unit = text.substr(text.size() - 3);
  policy.free_bytes = number << (unit == "KiB" ? 10 : unit == "MiB" ? 20 : unit == "GiB" ? 30 : 40);
}

BackupPolicy policy_of(Lowering& to, std::int64_t pause_s) {
  BackupPolicy policy;
  policy.name = to.name();
  policy.destination = to.spec().text_or("destination", "/var/backups/holdfast");
  policy.sources = sources_of(to);
  policy.compress = to.spec().text_or("compress", "gzip");
  if (const Value* keep = to.spec().find("keep")) {
    policy.keep_count = keep->int_or("count", policy.keep_count);
    if (const Value* age = keep->find("age")) policy.keep_age_ms = duration_ms(age->as_text());
  }
  set_free_space(to, policy);
  policy.timeout_ms = duration_ms(to.spec().text_or("timeout", "30m"));
  policy.max_age_ms = max_age_ms(to, pause_s);
  policy.before_deploy = to.spec().bool_or("beforeDeploy", false);
  return policy;
}

/// systemd takes "%" for a specifier.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '%') result += c;
    result += c;
  }
  return result;
}

std::string service_text(const BackupPolicy& policy) {
  return "[Unit]\nDescription=Backup " + policy.name + "\nStartLimitIntervalSec=0\nRequiresMountsFor=\"" +
         escaped(policy.destination) + "\"\n\n[Service]\nType=oneshot\nExecStart=" + program + " backup run " +
         policy.name + " --reason schedule\nTimeoutStartSec=" + std::to_string(policy.timeout_ms / 1000 + stop_s) +
         "\nUMask=0077\nNice=10\nIOSchedulingClass=idle\nNoNewPrivileges=true\n";
}

std::string timer_text(Lowering& to, const BackupPolicy& policy, const std::vector<std::string>& schedule) {
  std::string text = "[Unit]\nDescription=When to back up " + policy.name + "\n\n[Timer]\n";
  for (const std::string& one : schedule) text += "OnCalendar=" + one + "\n";
  const std::int64_t delay_ms = duration_ms(to.spec().text_or("randomizedDelay", "0s"));
  if (delay_ms > 0) text += "RandomizedDelaySec=" + std::to_string(delay_ms) + "ms\n";
  return text + "AccuracySec=1s\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n";
}

std::string unit_path(const std::string& unit) { return "/etc/systemd/system/" + unit; }

void add_policy_file(Lowering& to, const BackupPolicy& policy) {
  const PrimitiveId parent = to.add(PrimitiveType::directory, "/etc/holdfast", {}).id;
  const PrimitiveId folder =
      to.add(PrimitiveType::directory, backup_policy_folder, {{"owner", "root"}, {"group", "root"}, {"mode", 0700}}).id;
  for (const PrimitiveId& id : {parent, folder}) to.draft.shared[id] = Sharing::always;
  Wanted& file = to.add_file(backup_policy_path(policy.name), to_pretty_json(to_value(policy)) + "\n", {}, 0600);
  to.offer(file.id);
  if (!policy.before_deploy) return;
  // The runner asks before it changes anything, when the file may not be there yet: so the bundle has it too.
  file.parameters["backup"] = to_value(policy);
  to.refer(file.id, "covers", ReferenceUse::covers);
}

void add_service(Lowering& to, const BackupPolicy& policy) {
  const std::string name = backup_unit(policy.name, "service");
  const PrimitiveId file = to.add_file(unit_path(name), service_text(policy), {}, 0644).id;
  Wanted& unit = to.add(PrimitiveType::unit, name, {});
  add_load(unit, file);
  unit.parameters["on_change"] = "none";  // a backup that runs is not cut off by its next version
}

void add_timer(Lowering& to, const BackupPolicy& policy, const std::vector<std::string>& schedule) {
  const std::string name = backup_unit(policy.name, "timer");
  const PrimitiveId file = to.add_file(unit_path(name), timer_text(to, policy, schedule), {}, 0644).id;
  Wanted& unit = to.add(PrimitiveType::unit, name, {{"enabled", "enabled"}, {"active", "running"}});
  add_load(unit, file);
  unit.after.push_back({PrimitiveType::file, unit_path(backup_unit(policy.name, "service"))});
  Validator validator;
  validator.name = "systemd-analyze verify " + name;
  validator.argv = {"systemd-analyze", "verify", unit_path(name)};
  validator.folders = {unit_path(name), unit_path(backup_unit(policy.name, "service"))};
  validator.origin = to.origin();
  to.draft.validators.push_back(std::move(validator));
}

void lower_backup_policy(Lowering& to) {
  if (!is_backup_name(to.name())) {
    to.problem("/metadata/name", "\"" + to.name() + "\" can't name a backup",
               "letters, digits and \"_.-\", at most 100, not beginning with a mark");
    return;
  }
  const std::vector<std::string> schedule = schedule_of(to);
  const BackupPolicy policy = policy_of(to, check_schedule(to, schedule));
  if (schedule.empty() && !policy.before_deploy) {
    to.problem("/spec", "the policy has neither \"schedule\" nor \"beforeDeploy\": nothing would ever take a backup",
               "write for instance \"schedule: daily\"");
  }
  if (to.spec().find("covers") != nullptr && !policy.before_deploy) {
    to.problem("/spec/covers", "\"covers\" says which changes ask for a backup first, but \"beforeDeploy\" is false",
               "write \"beforeDeploy: true\", or take \"covers\" away");
  }
  add_policy_file(to, policy);
  add_service(to, policy);
  if (!schedule.empty()) add_timer(to, policy, schedule);
}

}  // namespace

Kind backup_policy_kind() { return {"BackupPolicy", lower_backup_policy}; }

}  // namespace holdfast
