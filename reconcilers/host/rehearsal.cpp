#include <reconcilers/host/rehearsal.hpp>

#include <reconcilers/host/detach.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/planner.hpp>
#include <reconcilers/host/rehearsal_mounts.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/host/vault.hpp>
#include <reconcilers/primitives/file.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

namespace holdfast {

namespace {

constexpr std::chrono::seconds validator_deadline{60};
constexpr std::size_t shown_output = 16U << 10U;
constexpr std::size_t max_findings_bytes = 32U << 20U;

bool judges_staged_copy(const Validator& validator) {
  return std::ranges::find(validator.argv, "{}") != validator.argv.end();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (text.find_first_not_of(" \t\r", begin) < end) lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

bool contains_any(const std::string& line, const std::vector<std::string>& texts) {
  return std::ranges::any_of(texts, [&](const std::string& text) { return line.find(text) != std::string::npos; });
}

bool verifies_unit(const Validator& validator) {
  return validator.argv.size() >= 3 && name_of("/" + validator.argv[0]) == "systemd-analyze" &&
         validator.argv[1] == "verify";
}

/// Advice, and man pages that are not installed.
const std::vector<std::string>& harmless() {
  static const std::vector<std::string> texts = {"Command 'man ", "is not safe", "This is unsafe", "deprecated",
                                                 "obsolete"};
  return texts;
}

bool accepts_unit(const Validator& validator, int exit_code, const std::vector<std::string>& lines) {
  const std::string unit = name_of("/" + validator.argv.back());
  bool says_something = false;
  for (const std::string& line : lines) {
    says_something = true;
    if (line.find(unit) != std::string::npos && !contains_any(line, harmless())) return false;
  }
  return exit_code == 0 || says_something;
}

Judgement judge_staged_copy(System& system, const State& state, const Validator& validator,
                            const Rehearsal& rehearsal) {
  Judgement finding{.name = validator.name, .id = {PrimitiveType::file, validator.folders.at(0)}, .ok = true};
  const HostVault vault(state);
  Effects effects{.system = system, .vault = vault};
  for (const Action& action : rehearsal.actions) {
    if (action.id != finding.id) continue;
    try {
      for (const Step& step : action.steps) validate_file(effects, step);
    } catch (const Error& error) {
      finding.ok = false;
      finding.output = error.what();
    }
  }
  return finding;
}

Value to_value(const Rehearsal& rehearsal) {
  List validators;
  for (const Validator& one : rehearsal.validators) validators.push_back(to_value(one));
  List actions;
  for (const Action& one : rehearsal.actions) actions.push_back(to_value(one));
  return Map{{"validators", std::move(validators)}, {"actions", std::move(actions)}};
}

Rehearsal rehearsal_from(const Value& value) {
  Rehearsal rehearsal;
  for (const Value& one : value.at("validators").as_list()) rehearsal.validators.push_back(validator_from(one));
  for (const Value& one : value.at("actions").as_list()) rehearsal.actions.push_back(action_from(one));
  return rehearsal;
}

std::vector<Judgement> not_run(const std::vector<Validator>& validators, const std::string& why) {
  std::vector<Judgement> findings;
  for (const Validator& one : validators)
    findings.push_back({.name = one.name, .ok = true, .output = "not run here: " + why});
  return findings;
}

PrimitiveId first_judged(const Validator& validator, const std::vector<Action>& actions) {
  const auto judged = std::ranges::find_if(actions, [&](const Action& action) { return judges(validator, action.id); });
  return judged == actions.end() ? PrimitiveId{} : judged->id;
}

/// Starts the process that has mounts of its own, and reads what it found.
std::vector<Judgement> judge_in_overlay(System& system, const State& state, const std::string& transaction,
                                        const Rehearsal& rehearsal) {
  write_state_file(state.transaction_path(transaction, "rehearsal.json"), to_json(to_value(rehearsal)));
  const Command command{.argv = own_command(system, {"rehearse", transaction}),
                        .deadline = validator_deadline * (rehearsal.validators.size() + 1),
                        .output_bytes = max_findings_bytes};
  const Output output = system.run(command);
  if (!output.ok()) return not_run(rehearsal.validators, describe_failure(command, output));
  std::vector<Judgement> findings;
  const Value list = from_json(output.out);
  if (list.as_list().size() != rehearsal.validators.size())
    throw Error("the rehearsal gave another number of findings");
  for (const Value& one : list.as_list()) {
    findings.push_back(
        {.name = one.at("name").as_text(), .ok = one.at("ok").as_bool(), .output = one.at("output").as_text()});
  }
  return findings;
}

/// Where a path really is, past links on the way; the last part itself may be a link.
std::string real_path(const std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::weakly_canonical(parent_of(path), error);
  return error ? path : (real / name_of(path)).string();
}

/// Nothing that is live, the runner's own memory included, is written to from here on.
std::vector<ReadOnly> enter_rehearsal(const State& state, const std::vector<Action>& actions) {
  std::vector<Action> written = actions;
  for (Action& one : written) {
    if (one.id.name.starts_with('/')) one.id.name = real_path(one.id.name);
  }
  std::vector<std::string> paths;
  for (const Action& one : written) paths.push_back(one.id.name);
  std::vector<std::string> folders = overlay_folders(written);
  if (std::ranges::find(folders, "/var/lib") == folders.end()) folders.push_back(parent_of(state.path("rehearsal")));
  return enter_overlays(folders, paths, state.path("rehearsal"));
}

/// Only what a configuration is made of: the rest was done before, or needs a running system.
void perform(System& system, const State& state, const std::vector<Action>& actions) {
  const HostVault vault(state);
  Effects effects{.system = system, .vault = vault};
  for (const Action& action : actions) {
    for (const Step& step : action.steps) {
      const std::string type = step.verb.substr(0, step.verb.find('.'));
      const bool configures = type == "file" || type == "link" || type == "directory";
      if (configures && step.verb != "directory.own") primitive_kind(primitive_type(type)).execute(effects, step);
    }
  }
}

Value judge(System& system, const Validator& validator) {
  const Command command{.argv = validator.argv, .deadline = validator_deadline};
  const Output output = system.run(command);
  const std::string said = output.err + output.out;
  const bool ok = !output.timed_out && output.exit_code >= 0 && is_accepted(validator, output.exit_code, said);
  const std::string shown = said.empty() && !ok ? describe_failure(command, output) : said;
  return Map{{"name", validator.name}, {"ok", ok}, {"output", shown.substr(0, shown_output)}};
}

/// Units are verified together first: systemd loads what they hang together with once, and that is most of the time.
/// Where anything is wrong with any, each is judged on its own.
bool verify_units_together(System& system, const std::vector<Validator>& validators) {
  Command command{.argv = {"systemd-analyze", "verify"}, .deadline = validator_deadline};
  for (const Validator& one : validators) {
    if (verifies_unit(one)) command.argv.insert(command.argv.end(), one.argv.begin() + 2, one.argv.end());
  }
  const Output output = system.run(command);
  return output.ok() && std::ranges::all_of(validators, [&](const Validator& one) {
           return !verifies_unit(one) || is_accepted(one, output.exit_code, output.err + output.out);
         });
}

List judge_all(System& system, const std::vector<Validator>& validators) {
  const bool together =
      std::ranges::count_if(validators, verifies_unit) > 1 && verify_units_together(system, validators);
  List findings;
  for (const Validator& one : validators) {
    const bool known_good = together && verifies_unit(one);
    findings.push_back(known_good ? Value(Map{{"name", one.name}, {"ok", true}, {"output", ""}}) : judge(system, one));
  }
  return findings;
}

}  // namespace

std::vector<std::string> overlay_folders(const std::vector<Action>& actions) {
  std::set<std::string> folders;
  for (const Action& action : actions) {
    if (!action.id.name.starts_with('/')) continue;
    std::size_t end = action.id.name.find('/', 1);
    const std::string top = action.id.name.substr(0, end);
    if (end != std::string::npos && (top == "/usr" || top == "/var")) end = action.id.name.find('/', end + 1);
    if (end != std::string::npos) folders.insert(action.id.name.substr(0, end));
  }
  return {folders.begin(), folders.end()};
}

bool is_accepted(const Validator& validator, int exit_code, const std::string& output) {
  const std::vector<std::string> lines = lines_of(output);
  return verifies_unit(validator) ? accepts_unit(validator, exit_code, lines) : exit_code == 0;
}

std::vector<Judgement> rehearse(System& system, const State& state, const std::string& transaction,
                                const Rehearsal& rehearsal) {
  std::vector<Judgement> findings;
  Rehearsal rest{.actions = rehearsal.actions};
  for (const Validator& validator : rehearsal.validators) {
    if (judges_staged_copy(validator)) {
      findings.push_back(judge_staged_copy(system, state, validator, rehearsal));
    } else {
      rest.validators.push_back(validator);
    }
  }
  if (rest.validators.empty()) return findings;
  std::vector<Judgement> more = !system.root().empty() ? not_run(rest.validators, system.abilities().why)
                                : ::geteuid() != 0     ? not_run(rest.validators, "not running as root")
                                                       : judge_in_overlay(system, state, transaction, rest);
  for (std::size_t i = 0; i < more.size(); ++i) more[i].id = first_judged(rest.validators.at(i), rest.actions);
  findings.insert(findings.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return findings;
}

int run_rehearsal(const State& state, const std::string& transaction) {
  const std::optional<std::string> text = read_state_file(state.transaction_path(transaction, "rehearsal.json"));
  if (!text) throw Error("there is no prepared rehearsal of \"" + transaction + "\"");
  const Rehearsal rehearsal = rehearsal_from(from_json(*text));
  make_private_folder(state.path("rehearsal"));
  const std::vector<ReadOnly> closed = enter_rehearsal(state, rehearsal.actions);
  const std::unique_ptr<System> system = make_linux_system("/");  // opened now: it sees the overlays
  perform(*system, state, rehearsal.actions);
  let_be_written(closed);  // validators look at their logs and process ids as ever
  std::cout << to_json(judge_all(*system, rehearsal.validators)) << std::flush;
  return 0;
}

}  // namespace holdfast
