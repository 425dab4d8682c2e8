#include <reconcilers/backup/command.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/backup/guard.hpp>
#include <reconcilers/host/state_files.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <iostream>

namespace holdfast {

namespace {

constexpr const char* usage =
    "usage: holdfast-host [--root DIR] backup run NAME [--reason REASON] [--transaction ID] [--policy FILE] [--json]\n"
    "       holdfast-host [--root DIR] backup list [NAME] [--json]\n"
    "       holdfast-host [--root DIR] backup verify NAME [ID] [--json]\n";
constexpr std::size_t listed = 1000;

struct Line {
  std::string verb{};
  std::vector<std::string> names{};
  BackupRequest request{};
  std::string policy_file{};
  bool json = false;
};

/// Nothing where the words are no command.
std::optional<Line> line_from(const std::vector<std::string>& words) {
  Line line;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const bool takes = words[i] == "--reason" || words[i] == "--transaction" || words[i] == "--policy";
    if (takes && i + 1 == words.size()) return std::nullopt;
    if (words[i] == "--json") {
      line.json = true;
    } else if (words[i] == "--reason") {
      line.request.reason = words[++i];
    } else if (words[i] == "--transaction") {
      line.request.transaction = words[++i];
    } else if (words[i] == "--policy") {
      line.policy_file = words[++i];
    } else if (words[i].starts_with("-")) {
      return std::nullopt;
    } else if (line.verb.empty()) {
      line.verb = words[i];
    } else {
      line.names.push_back(words[i]);
    }
  }
  const bool good = (line.verb == "run" && line.names.size() == 1) || (line.verb == "list" && line.names.size() <= 1) ||
                    (line.verb == "verify" && (line.names.size() == 1 || line.names.size() == 2));
  const bool good_reason =
      line.request.reason == "schedule" || line.request.reason == "manual" || line.request.reason == "before-deploy";
  return good && good_reason ? std::optional(line) : std::nullopt;
}

BackupPolicy policy_of(const System& system, const Line& line) {
  if (line.policy_file.empty()) return read_policy(system, line.names.front());
  const std::optional<std::string> text = read_state_file(line.policy_file, 1U << 20U);
  if (!text) throw Error("there is no policy at \"" + line.policy_file + "\"");
  return backup_policy_from(from_json(*text));
}

void print_outcome(const Line& line, const BackupOutcome& outcome) {
  if (line.json) {
    std::cout << to_json(Map{{"result", to_value(outcome)}}) << std::endl;
    return;
  }
  if (!outcome.ok()) {
    std::cerr << "holdfast-host: backup " << line.names.front() << ": " << outcome.error << std::endl;
    return;
  }
  if (outcome.record) {
    const BackupRecord& record = *outcome.record;
    std::cout << "backup " << record.id << " of " << record.policy << ": " << stored_size_text(stored_bytes(record))
              << ", verified by " << record.verified_how << "\n";
  }
  for (const std::string& id : outcome.removed) std::cout << "removed backup " << id << "\n";
  if (!outcome.note.empty()) std::cout << outcome.note << "\n";
  std::cout.flush();
}

std::string state_word(const Value& backup) { return backup.at("verification").text_or("state", ""); }

void print_listing(const Value& listing) {
  const Value& standing = listing.at("standing");
  std::cout << listing.at("policy").as_text() << "  in " << listing.at("folder").as_text();
  if (!standing.text_or("problem", "").empty()) {
    std::cout << "  " << standing.at("problem").as_text() << ": " << standing.at("detail").as_text();
  }
  std::cout << "\n";
  for (const Value& one : listing.at("backups").as_list()) {
    std::int64_t bytes = 0;
    for (const Value& part : one.at("parts").as_list()) bytes += part.at("stored_bytes").as_int();
    std::cout << "  " << one.at("id").as_text() << "  " << stored_size_text(bytes) << "  " << one.at("duration_ms").as_int()
              << " ms  " << state_word(one) << "  " << one.at("reason").as_text() << "  " << one.at("commit").as_text()
              << "\n";
  }
  for (const Value& one : listing.at("broken").as_list()) {
    std::cout << "  " << one.at("id").as_text() << "  broken: " << one.at("what").as_text() << "\n";
  }
  for (const Value& one : listing.at("failures").as_list()) {
    std::cout << "  " << backup_id(one.at("at_ms").as_int()) << "  failed (" << one.at("reason").as_text()
              << "): " << one.at("error").as_text() << "\n";
  }
}

int list(const System& system, const Line& line) {
  const Policies policies = read_policies(system);
  List listings;
  for (const BackupPolicy& policy : policies.good) {
    if (line.names.empty() || line.names.front() == policy.name)
      listings.push_back(backup_listing(system, policy, listed));
  }
  if (!line.names.empty() && listings.empty()) static_cast<void>(read_policy(system, line.names.front()));
  if (line.json) {
    std::cout << to_json(Map{{"result", Map{{"backups", std::move(listings)}}}}) << std::endl;
    return policies.bad.empty() ? 0 : 1;
  }
  for (const Value& listing : listings) print_listing(listing);
  for (const BackupStanding& bad : policies.bad) std::cout << bad.policy << "  " << bad.detail << "\n";
  return policies.bad.empty() ? 0 : 1;
}

}  // namespace

Value to_value(const BackupOutcome& outcome) {
  return Map{{"ok", outcome.ok()},
             {"error", outcome.error},
             {"note", outcome.note},
             {"record", outcome.record ? to_value(*outcome.record) : Value()},
             {"removed", Value::texts(outcome.removed)}};
}

Value backup_listing(const System& system, const BackupPolicy& policy, std::size_t most) {
  const BackupShelf shelf(system.root(), policy);
  const Catalogue catalogue = shelf.catalogue();
  const BackupState state = state_of(catalogue, BackupMemory(system.root(), policy.name).read());
  const std::optional<FileStat> file = system.stat(backup_policy_path(policy.name));
  const std::int64_t now_ms = system.now_ns() / 1'000'000;
  List backups;
  for (const BackupRecord& record : catalogue.records) {
    if (backups.size() < most) backups.push_back(to_value(record));
  }
  List broken;
  for (const BrokenBackup& one : catalogue.broken) {
    if (broken.size() < most) broken.emplace_back(Map{{"id", one.id}, {"what", one.what}});
  }
  return Map{{"policy", policy.name},
             {"folder", shelf.folder()},
             {"standing", to_value(judge_backups(policy, state, file ? file->changed_ns / 1'000'000 : now_ms, now_ms))},
             {"backups", std::move(backups)},
             {"broken", std::move(broken)},
             {"failures", to_value(state).at("failures")}};
}

int backup_command(System& system, const std::vector<std::string>& words) {
  const std::optional<Line> line = line_from(words);
  if (!line) {
    std::cerr << usage;
    return 2;
  }
  ::umask(077);
  if (line->verb == "list") return list(system, *line);
  end_backups_on_signals();
  const TellBackup tell = [&](const std::string& text) {
    if (line->json) {
      std::cout << to_json(Map{{"event", Map{{"kind", "backup"}, {"policy", line->names.front()}, {"text", text}}}})
                << std::endl;
    } else {
      std::cout << text << std::endl;
    }
  };
  const BackupPolicy policy = policy_of(system, *line);
  const BackupOutcome outcome = line->verb == "run"
                                    ? run_backup(system, policy, line->request, tell)
                                    : verify_backup(system, policy, line->names.size() > 1 ? line->names[1] : "", tell);
  print_outcome(*line, outcome);
  return outcome.ok() ? 0 : 1;
}

}  // namespace holdfast
