#include "init.hpp"

#include "host.hpp"

#include <algorithm>
#include <filesystem>

namespace holdfast::simulation {

namespace {

namespace fs = std::filesystem;

const std::string units_folder = "/etc/systemd/system/";

Output exits(int code, const std::string& out = {}, const std::string& err = {}) {
  return {.exit_code = code, .out = out, .err = err};
}

std::string word_after(const std::string& text, const std::string& key) {
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + key.size();
  return text.substr(begin, text.find_first_of(" \n", begin) - begin);
}

/// The last word of its ExecStart.
std::string configuration_path(const std::string& file) {
  const std::size_t at = file.find("ExecStart=");
  if (at == std::string::npos) return {};
  const std::string line = file.substr(at, file.find('\n', at) - at);
  return line.substr(line.find_last_of(" =") + 1);
}

}  // namespace

const Init::Unit* Init::unit(const std::string& name) const {
  const auto found = units_.find(name);
  return found == units_.end() ? nullptr : &found->second;
}

std::optional<std::string> Init::file_of(const std::string& name) const {
  if (!host_.exists(units_folder + name)) return std::nullopt;
  return host_.read(units_folder + name);
}

bool Init::is_enabled(const std::string& name) const {
  return fs::is_symlink(host_.real(units_folder + "multi-user.target.wants/" + name));
}

Init::Unit& Init::known(const std::string& name) {
  const auto [at, fresh] = units_.try_emplace(name);
  if (fresh) at->second.file = file_of(name);
  return at->second;
}

Time Init::monotonic_us(Time time) const { return time == 0 ? 0 : (100 * second + time - host_.booted) / 1000; }

System::UnitProperties Init::properties(const std::string& name, const std::vector<std::string>& wanted) {
  const Unit& unit = known(name);
  const std::optional<std::string> file = file_of(name);
  const bool installable = file && file->find("[Install]") != std::string::npos;
  const std::string file_state = !file ? "" : is_enabled(name) ? "enabled" : installable ? "disabled" : "static";
  const bool runs = unit.active == "active" || unit.active == "activating";
  const auto number = [](auto value) { return std::to_string(value); };
  const System::UnitProperties all = {
      {"Id", name},
      {"LoadState", unit.file ? "loaded" : "not-found"},
      {"ActiveState", unit.active},
      {"SubState", unit.sub},
      {"UnitFileState", file_state},
      {"Type", "simple"},
      {"Result", unit.result},
      {"InvocationID", unit.invocation},
      {"NeedDaemonReload", unit.file && unit.file != file ? "yes" : "no"},
      {"CanReload", "no"},
      {"NRestarts", number(unit.restarts)},
      {"ExecMainStartTimestampMonotonic", number(runs ? monotonic_us(unit.started) : 0)},
      {"ActiveEnterTimestampMonotonic", number(monotonic_us(unit.entered))},
      {"ActiveExitTimestampMonotonic", number(monotonic_us(unit.left))},
      {"StateChangeTimestampMonotonic", number(monotonic_us(unit.changed))}};
  System::UnitProperties answer;
  for (const std::string& one : wanted) {
    if (const auto found = all.find(one); found != all.end()) answer.emplace(one, found->second);
  }
  return answer;
}

void Init::set(Unit& unit, const std::string& active, const std::string& sub) {
  const Time now = host_.machine().now();
  if (unit.active == "active" && active != "active") unit.left = now;
  if (unit.active != "active" && active == "active") unit.entered = now;
  unit.active = active;
  unit.sub = sub;
  unit.changed = now;
}

void Init::start(const std::string& name) {
  Unit& unit = known(name);
  if (unit.active == "active" || !unit.file) return;
  unit.configuration = host_.read(configuration_path(*unit.file));
  unit.started = host_.machine().now();
  unit.invocation = std::to_string(1'000'000 + ++invocations_) + host_.name;
  unit.result = "success";
  ++unit.starts;
  set(unit, "active", "running");
  const std::string mode = word_after(unit.configuration, "mode=");
  host_.machine().trace(host_.name + " starts " + name + " mode=" + mode);
  if (mode == "dies") dies(name, 30 * ms, false);
  if (mode == "dies-late") dies(name, 8 * second, false);
  if (mode == "flaps") dies(name, 900 * ms, true);
}

void Init::dies(const std::string& name, Time after, bool again) {
  Machine& machine = host_.machine();
  const auto still = [this, name, starts = known(name).starts, boot = epoch_] {
    return boot == epoch_ && known(name).starts == starts;
  };
  machine.at(machine.now() + after, [this, name, still, again, &machine] {
    if (!still() || known(name).active != "active") return;
    Unit& unit = known(name);
    unit.result = "exit-code";
    if (!again) return set(unit, "failed", "failed");
    set(unit, "activating", "auto-restart");
    machine.at(machine.now() + 100 * ms, [this, name, still] {
      if (!still() || known(name).sub != "auto-restart") return;
      ++known(name).restarts;
      start(name);
    });
  });
}

void Init::stop(const std::string& name) {
  Unit& unit = known(name);
  if (unit.active == "inactive") return;
  if (unit.active != "failed") set(unit, "inactive", "dead");
  unit.restarts = 0;
}

/// Jobs are systemd's: once asked for, they are done, whoever waits for them.
Output Init::job(const std::string& verb, const std::string& name) {
  Machine& machine = host_.machine();
  if (verb != "stop" && !known(name).file) return exits(5, "", "Unit " + name + " not found.");
  const auto done = std::make_shared<bool>(false);
  const Time takes = static_cast<Time>(1 + machine.random(60)) * ms;
  machine.at(machine.now() + takes, [this, verb, name, done, boot = epoch_] {
    if (boot != epoch_) return;
    if (verb != "start") stop(name);
    if (verb != "stop") {
      if (known(name).active == "failed") known(name).active = "inactive";
      start(name);
    }
    *done = true;
  });
  machine.wait([done] { return *done; }, never);
  return exits(0);
}

Output Init::systemctl(const std::vector<std::string>& words) {
  std::vector<std::string> rest;
  std::ranges::copy_if(words, std::back_inserter(rest), [](const auto& word) { return !word.starts_with("--"); });
  if (rest.size() < 2) return exits(1, "", "systemctl: no model of it");
  const std::string& verb = rest[1];
  const std::string name = rest.size() > 2 ? rest[2] : "";
  if (verb == "is-system-running") return exits(0, "running\n");
  if (verb == "daemon-reload") {
    for (auto& [one, unit] : units_) unit.file = file_of(one);
    return exits(0);
  }
  if (verb == "enable" || verb == "disable") {
    const std::optional<std::string> file = file_of(name);
    if (!file) return exits(1, "", "Unit file " + name + " does not exist.");
    const std::string wants = host_.real(units_folder + "multi-user.target.wants");
    std::error_code error;
    fs::create_directories(wants, error);
    fs::remove(wants + "/" + name, error);
    const bool installable = file->find("[Install]") != std::string::npos;
    if (verb == "enable" && installable) fs::create_symlink(units_folder + name, wants + "/" + name, error);
    return exits(0);
  }
  if (verb == "reset-failed") {
    if (known(name).active == "failed") set(known(name), "inactive", "dead");
    return exits(0);
  }
  if (verb == "stop" && name.ends_with(".timer")) return exits(stop_timer(name) ? 0 : 5);
  if (verb == "start" || verb == "stop" || verb == "restart") return job(verb, name);
  return exits(1, "", "systemctl " + verb + ": no model of it");
}

Output Init::run(const Command& command) {
  const std::string& program = command.argv.at(0);
  if (program == "systemctl") return systemctl(command.argv);
  if (program == "journalctl") return exits(0, "a line of its journal\n");
  if (program == "systemd-run") return exits(1, "", "Unit was already loaded");
  if (program == "app-check") {
    const Unit* app = unit(command.argv.at(1));
    const std::string mode = app == nullptr ? "" : word_after(app->configuration, "mode=");
    const bool faded = mode == "fades" && host_.machine().now() - app->started > 25 * second;
    const bool well = app != nullptr && app->active == "active" && mode != "sick" && !faded;
    return exits(well ? 0 : 1, well ? "well" : "not well");
  }
  if (program == "migrate") {
    host_.machine().sleep(static_cast<Time>(20 + host_.machine().random(200)) * ms);
    if (command.argv.at(1) == "fail") return exits(1, "", "migration failed");
    host_.put("/var/lib/app-data", command.argv.at(1));
    return exits(0);
  }
  return exits(-1, "", program + ": there is no such program");
}

bool Init::start_transient(const TransientUnit& unit) {
  if (transients_.contains(unit.name)) return false;
  Transient& transient = transients_[unit.name];
  transient.unit = unit;
  transient.number = ++invocations_;
  if (unit.after.count() == 0) {
    run_transient(unit.name);
  } else {
    Machine& machine = host_.machine();
    machine.at(machine.now() + unit.after.count() * ms,
               [this, name = unit.name, number = transient.number] { fire(name, number); });
  }
  return true;
}

/// A timer's time has come.
void Init::fire(const std::string& name, int number) {
  const auto found = transients_.find(name);
  if (found == transients_.end() || found->second.number != number || found->second.running) return;
  run_transient(name);
}

void Init::run_transient(const std::string& name) {
  Transient& transient = transients_.at(name);
  transient.running = true;
  Machine& machine = host_.machine();
  const auto words = [](const std::vector<std::string>& argv) {
    const std::size_t own = argv.size() > 2 && argv[1] == "--root" ? 3 : 1;
    return std::vector<std::string>(argv.begin() + static_cast<std::ptrdiff_t>(own), argv.end());
  };
  const auto over = [this, name, number = transient.number, &machine](bool) {
    const auto found = transients_.find(name);
    if (found == transients_.end() || found->second.number != number) return;
    found->second.running = false;
    if (found->second.unit.after.count() == 0 || found->second.stopped) {
      transients_.erase(found);
      return;
    }
    machine.at(machine.now() + found->second.unit.again.count() * ms, [this, name, number] { fire(name, number); });
  };
  auto on_end = transient.unit.on_end.empty() ? std::vector<std::string>() : words(transient.unit.on_end);
  host_.start_runner(words(transient.unit.argv), [this, on_end, over, boot = epoch_](bool killed) {
    if (boot != epoch_) return;
    if (on_end.empty()) return over(killed);
    host_.start_runner(on_end, over);
  });
}

bool Init::stop_timer(const std::string& timer) {
  const auto found = transients_.find(timer.substr(0, timer.rfind('.')));
  if (found == transients_.end() || found->second.unit.after.count() == 0) return false;
  if (found->second.running) {
    found->second.stopped = true;
  } else {
    transients_.erase(found);
  }
  return true;
}

void Init::clear() {
  ++epoch_;
  units_.clear();
  transients_.clear();
}

void Init::start_enabled() {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(host_.real(units_folder + "multi-user.target.wants"), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("holdfast-")) names.push_back(name);
  }
  std::ranges::sort(names);
  for (const std::string& name : names) start(name);
}

}  // namespace holdfast::simulation
