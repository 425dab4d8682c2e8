#include <reconcilers/backup/backup_state.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/primitives/place.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t max_bytes = 1U << 20U;
constexpr std::size_t kept_failures = 20;
constexpr std::int64_t minute_ms = 60'000;

/// "3 hours", "2 days".
std::string age_text(std::int64_t ms) {
  const std::int64_t minutes = std::max<std::int64_t>(ms / minute_ms, 0);
  const auto counted = [](std::int64_t count, const char* unit) {
    return std::to_string(count) + " " + unit + (count == 1 ? "" : "s");
  };
  if (minutes < 120) return counted(minutes, "minute");
  if (minutes < 48 * 60) return counted(minutes / 60, "hour");
  return counted(minutes / (24 * 60), "day");
}

Value to_value(const BackupFailure& failure) {
  return Map{{"at_ms", failure.at_ms},
             {"reason", failure.reason},
             {"transaction", failure.transaction},
             {"error", failure.error},
             {"duration_ms", failure.duration_ms}};
}

BackupFailure failure_from(const Value& value) {
  return {.at_ms = value.at("at_ms").as_int(),
          .reason = value.text_or("reason", ""),
          .transaction = value.text_or("transaction", ""),
          .error = value.text_or("error", ""),
          .duration_ms = value.int_or("duration_ms", 0)};
}

std::string policy_name(const std::string& file) {
  constexpr std::string_view suffix = ".json";
  const std::string name = file.ends_with(suffix) ? file.substr(0, file.size() - suffix.size()) : "";
  return is_backup_name(name) ? name : "";
}

BackupPolicy policy_at(const System& system, const std::string& name) {
  const std::string path = backup_policy_path(name);
  return while_doing("reading \"" + path + "\"", [&] {
    const std::optional<std::string> text = system.read(path, max_bytes);
    if (!text) throw Error("there is no such file");
    BackupPolicy policy = backup_policy_from(from_json(*text, {.bytes = max_bytes, .depth = 16}));
    if (policy.name != name) throw Error("it is the policy \"" + policy.name + "\"");
    return policy;
  });
}

}  // namespace

Value to_value(const BackupState& state) {
  List failures;
  for (const BackupFailure& one : state.failures) {
    if (failures.size() < kept_failures) failures.push_back(to_value(one));
  }
  return Map{{"version", 1},
             {"verified_id", state.verified_id},
             {"verified_at_ms", state.verified_at_ms},
             {"verified_bytes", state.verified_bytes},
             {"damaged_id", state.damaged_id},
             {"damaged_what", state.damaged_what},
             {"failures", std::move(failures)}};
}

BackupState backup_state_from(const Value& value) {
  BackupState state{.verified_id = value.text_or("verified_id", ""),
                    .verified_at_ms = value.int_or("verified_at_ms", 0),
                    .verified_bytes = value.int_or("verified_bytes", 0),
                    .damaged_id = value.text_or("damaged_id", ""),
                    .damaged_what = value.text_or("damaged_what", "")};
  for (const Value& one : value.at("failures").as_list()) state.failures.push_back(failure_from(one));
  return state;
}

BackupMemory::BackupMemory(const std::string& root, const std::string& policy)
    : folder_(root + state_folder + "/backups"), path_(folder_ + "/" + policy + ".json") {}

BackupState BackupMemory::read() const {
  try {
    const std::optional<std::string> text = read_state_file(path_, max_bytes);
    return text ? backup_state_from(from_json(*text)) : BackupState();
  } catch (const Error&) {
    return {};
  }
}

void BackupMemory::make_folder() const { make_private_folder(folder_); }

void BackupMemory::write(const BackupState& state) const { write_state_file(path_, to_json(to_value(state))); }

Value to_value(const BackupStanding& standing) {
  return Map{{"policy", standing.policy},
             {"problem", standing.problem},
             {"detail", standing.detail},
             {"verified_id", standing.verified_id},
             {"verified_at_ms", standing.verified_at_ms},
             {"bytes", standing.bytes}};
}

BackupStanding judge_backups(const BackupPolicy& policy, const BackupState& state, std::int64_t policy_since_ms,
                             std::int64_t now_ms) {
  BackupStanding standing{.policy = policy.name,
                          .verified_id = state.verified_id,
                          .verified_at_ms = state.verified_at_ms,
                          .bytes = state.verified_bytes};
  const bool never = state.verified_id.empty();
  const std::int64_t since = never ? policy_since_ms : state.verified_at_ms;
  const bool missed = policy.max_age_ms > 0 && now_ms - since > policy.max_age_ms;
  const std::string newest =
      never ? "there is no verified one" : "the newest verified one is " + age_text(now_ms - since) + " old";
  if (!state.damaged_id.empty()) {
    standing.problem = "damaged";
    standing.detail = state.damaged_id + " is damaged: " + state.damaged_what + "; " + newest;
  } else if (!state.failures.empty() && state.failures.front().at_ms > state.verified_at_ms) {
    standing.problem = "failed";
    standing.detail = state.failures.front().error + "; " + newest;
  } else if (missed) {
    standing.problem = "missed";
    standing.detail = newest + ", and should be less than " + age_text(policy.max_age_ms);
    if (never) standing.detail = "none was taken in " + age_text(now_ms - since);
  } else if (never) {
    standing.problem = "never";
    standing.detail = "none was taken yet";
  }
  return standing;
}

Policies read_policies(const System& system) {
  Policies found;
  for (const std::string& file : system.list(backup_policy_folder)) {
    const std::string name = policy_name(file);
    if (name.empty()) continue;
    try {
      found.good.push_back(policy_at(system, name));
    } catch (const Error& error) {
      found.bad.push_back({.policy = name, .problem = "failed", .detail = error.what()});
    }
  }
  return found;
}

BackupPolicy read_policy(const System& system, const std::string& name) {
  std::string known;
  for (const std::string& file : system.list(backup_policy_folder)) {
    const std::string one = policy_name(file);
    if (!one.empty() && one == name) return policy_at(system, name);
    if (!one.empty()) known += (known.empty() ? "" : ", ") + one;
  }
  throw Error("there is no backup policy \"" + name + "\" on this host; it has " + (known.empty() ? "none" : known));
}

std::vector<BackupStanding> backup_standings(const System& system) {
  const Policies policies = read_policies(system);
  std::vector<BackupStanding> standings = policies.bad;
  const std::int64_t now_ms = system.now_ns() / 1'000'000;
  for (const BackupPolicy& policy : policies.good) {
    const std::optional<FileStat> file = system.stat(backup_policy_path(policy.name));
    const std::int64_t since_ms = file ? file->changed_ns / 1'000'000 : now_ms;
    standings.push_back(judge_backups(policy, BackupMemory(system.root(), policy.name).read(), since_ms, now_ms));
  }
  std::ranges::sort(standings, {}, &BackupStanding::policy);
  return standings;
}

}  // namespace holdfast
