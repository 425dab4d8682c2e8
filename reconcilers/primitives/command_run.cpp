#include <reconcilers/primitives/command_run.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/accounts.hpp>
#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/systemctl.hpp>
#include <reconcilers/primitives/command_record.hpp>
#include <reconcilers/primitives/env_text.hpp>
#include <reconcilers/primitives/place.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t max_kept_bytes = 1U << 20U;
constexpr std::size_t max_env_bytes = 1U << 20U;
constexpr std::int64_t default_timeout_ms = 300'000;
constexpr std::chrono::seconds guard_deadline{30};
constexpr std::chrono::seconds stop_deadline{300};
constexpr int most_links = 40;

/// A file that the account of the command could not have written is safe to take its environment from.
void require_trusted(const System& system, const std::string& path, const std::string& user) {
  const std::optional<FileStat> stat = system.stat(path);
  if (!stat) throw Error("there is no environment file \"" + path + "\"");
  if (!system.abilities().ownership) return;
  const std::uint32_t uid = user.empty() ? 0 : read_accounts(system).uid_of(user);
  if ((stat->uid == 0 || stat->uid == uid) && (stat->mode & 022U) == 0) return;
  throw Error("the environment file \"" + path + "\" can be written by others than root and \"" +
              (user.empty() ? "root" : user) + "\", who could make the command do something else");
}

std::map<std::string, std::string> environment_of(const System& system, const Value& arguments) {
  std::map<std::string, std::string> environment;
  if (const std::string path = arguments.text_or("environment_file", ""); !path.empty()) {
    require_trusted(system, path, arguments.text_or("user", ""));
    environment = parse_env(system.read(path, max_env_bytes).value_or(""));
  }
  if (const Value* given = arguments.find("environment")) {
    for (const auto& [name, value] : given->as_map()) environment[name] = value.as_text();
  }
  return environment;
}

Command command_of(const System& system, const Value& arguments, const std::string& folder) {
  Command command;
  command.folder = folder;
  if (system.abilities().ownership) command.user = arguments.text_or("user", "");
  command.environment = environment_of(system, arguments);
  command.deadline =
      std::chrono::milliseconds(std::max<std::int64_t>(1, arguments.int_or("timeout_ms", default_timeout_ms)));
  return command;
}

/// Appends to a file of ours until it is full.
class KeptText {
 public:
  KeptText(System& system, std::string path) : system_(system), path_(std::move(path)) {
    ensure_folder(system, parent_of(path_));
    system.write(path_, "", {.mode = 0600});
  }

  void add(std::string_view text) {
    text = text.substr(0, max_kept_bytes - std::min(max_kept_bytes, bytes_));
    bytes_ += text.size();
    if (!text.empty()) system_.append(path_, text, {.mode = 0600});
  }

 private:
  System& system_;
  std::string path_;
  std::size_t bytes_ = 0;
};

/// They are started again by their own changes, which come after the command and after its undo.
void stop_units(System& system, const Value& arguments) {
  const Value* stops = arguments.find("stops");
  if (stops == nullptr || !system.abilities().units) return;
  for (const UnitStatus& status : show_units(system, stops->as_texts())) {
    if (status.active == "inactive" || status.active == "failed" || !is_unit_argument(status.id)) continue;
    const Command command{.argv = {"systemctl", "--no-ask-password", "--quiet", "stop", "--", status.id},
                          .deadline = stop_deadline};
    const Output output = system.run(command);
    if (!output.ok()) throw Error(describe_failure(command, output));
  }
}

[[noreturn]] void throw_failed(const Command& command, const Output& output, const std::string& log) {
  throw Error(describe_failure(command, output) + "\nall that it said: " + log);
}

}  // namespace

std::string real_folder(const System& system, const std::string& folder) {
  std::string real;
  std::string rest = folder;
  for (int links = 0; !rest.empty() && rest != "/";) {
    const std::size_t begin = rest.find_first_not_of('/');
    if (begin == std::string::npos) break;
    const std::size_t end = std::min(rest.find('/', begin), rest.size());
    const std::string name = rest.substr(begin, end - begin);
    const std::string next = real + "/" + name;
    rest = rest.substr(end);
    if (name == "..") {
      real = real.substr(0, real.find_last_of('/') == std::string::npos ? 0 : real.find_last_of('/'));
      continue;
    }
    const std::optional<std::string> target = name == "." ? std::nullopt : system.read_link(next);
    if (target && ++links > most_links) throw Error("\"" + folder + "\" leads through too many links");
    if (target && target->starts_with('/')) real.clear();
    if (target) rest = *target + rest;
    if (!target && name != ".") real = next;
  }
  return real.empty() ? "/" : real;
}

bool is_done_already(const System& system, const Value& parameters, const std::string& folder) {
  try {
    Command command = command_of(system, parameters, folder);
    command.argv = parameters.at("unless").as_texts();
    command.deadline = guard_deadline;
    const Output output = system.ask(command);
    if (!output.timed_out) return output.exit_code == 0;
  } catch (const Error&) {
    return false;  // its account or environment is yet to be made
  }
  throw Error("the guard \"" + parameters.at("unless").as_texts().at(0) + "\" did not end within " +
              std::to_string(guard_deadline.count()) + " s");
}

void run_command(Effects& effects, const std::string& name, const Value& arguments, const std::string& folder,
                 bool& could_start) {
  Command command = command_of(effects.system, arguments, folder);
  command.argv = arguments.at("argv").as_texts();
  KeptText log(effects.system, command_log_path(name));
  KeptText out(effects.system, command_output_path(name));
  command.on_output = [&](std::string_view text) {
    if (effects.tell) effects.tell(text);
    log.add(text);
  };
  command.on_stdout = [&](std::string_view text) {
    out.add(text);
    return true;
  };
  stop_units(effects.system, arguments);
  const Output output = effects.system.run(command);
  could_start = output.exit_code != -1;
  if (!output.ok()) throw_failed(command, output, command_log_path(name));
}

void run_undo(Effects& effects, const std::string& name, const Value& arguments, const std::string& folder) {
  Command command = command_of(effects.system, arguments, folder);
  command.argv = arguments.at("argv").as_texts();
  command.input = effects.system.read(command_output_path(name), max_kept_bytes).value_or("");
  KeptText log(effects.system, command_log_path(name));
  command.on_output = [&](std::string_view text) {
    if (effects.tell) effects.tell(text);
    log.add(text);
  };
  stop_units(effects.system, arguments);
  const Output output = effects.system.run(command);
  if (!output.ok()) throw_failed(command, output, command_log_path(name));
}

}  // namespace holdfast
