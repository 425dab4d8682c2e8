#include <reconcilers/host/systemctl.hpp>

#include <manifests/error.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace holdfast {

namespace {

constexpr const char* properties =
    "Id,LoadState,ActiveState,SubState,UnitFileState,Type,Result,InvocationID,NeedDaemonReload,CanReload,NRestarts,"
    "ExecMainStartTimestampMonotonic,ActiveEnterTimestampMonotonic,StateChangeTimestampMonotonic";
constexpr std::size_t names_at_once = 500;
constexpr std::size_t bytes_per_unit = 2048;

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void set_property(UnitStatus& unit, std::string_view key, std::string_view value) {
  if (key == "Id") unit.id = value;
  if (key == "LoadState") unit.load = value;
  if (key == "ActiveState") unit.active = value;
  if (key == "SubState") unit.sub = value;
  if (key == "UnitFileState") unit.file_state = value;
  if (key == "Type") unit.type = value;
  if (key == "Result") unit.result = value;
  if (key == "InvocationID") unit.invocation = value;
  if (key == "NeedDaemonReload") unit.needs_daemon_reload = value == "yes";
  if (key == "CanReload") unit.can_reload = value == "yes";
  if (key == "NRestarts") unit.restarts = number(value);
  if (key == "StateChangeTimestampMonotonic") unit.changed_monotonic_us = number(value);
  const bool starts = key == "ExecMainStartTimestampMonotonic";
  if ((starts || key == "ActiveEnterTimestampMonotonic") && number(value) > 0 &&
      (starts || unit.started_monotonic_us == 0)) {
    unit.started_monotonic_us = number(value);
  }
}

std::vector<std::string> property_list() {
  std::vector<std::string> list;
  std::string_view rest = properties;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    list.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return list;
}

std::optional<std::vector<UnitStatus>> ask_directly(const System& system, const std::vector<std::string>& names) {
  static const std::vector<std::string> wanted = property_list();
  const auto found = system.unit_properties(names, wanted);
  if (!found || found->size() != names.size()) return std::nullopt;
  std::vector<UnitStatus> units;
  for (const System::UnitProperties& one : *found) {
    UnitStatus& unit = units.emplace_back();
    for (const std::string& name : wanted) {  // in this order: a later one may stand in for an earlier
      if (const auto value = one.find(name); value != one.end()) set_property(unit, name, value->second);
    }
  }
  return units;
}

std::vector<UnitStatus> ask(const System& system, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  if (auto units = ask_directly(system, names)) return std::move(*units);
  Command command{.argv = {"systemctl", "show", "--no-pager", "-p", properties, "--"}};
  command.argv.insert(command.argv.end(), names.begin(), names.end());
  command.deadline = std::chrono::seconds(30);
  command.output_bytes = 2 * names.size() * bytes_per_unit;
  const Output output = system.ask(command);
  if (!output.ok()) throw Error(describe_failure(command, output));
  std::vector<UnitStatus> units = parse_units(output.out);
  if (units.size() != names.size()) {
    throw Error("systemctl show: expected " + std::to_string(names.size()) + " units, found " +
                std::to_string(units.size()));
  }
  return units;
}

}  // namespace

bool is_unit_argument(std::string_view name) {
  constexpr std::string_view others = ":_.@\\-";
  constexpr std::size_t longest = 255;
  const auto fits = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
  };
  return !name.empty() && name.size() <= longest && name.front() != '-' && name.front() != '.' &&
         name.find('.') != std::string_view::npos && !name.ends_with('.') && std::ranges::all_of(name, fits);
}

std::vector<UnitStatus> parse_units(std::string_view text) {
  std::vector<UnitStatus> units;
  bool inside = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      inside = false;
      continue;
    }
    if (!inside) units.emplace_back();
    inside = true;
    set_property(units.back(), line.substr(0, equals), line.substr(equals + 1));
  }
  return units;
}

std::vector<UnitStatus> show_units(const System& system, const std::vector<std::string>& names) {
  std::vector<UnitStatus> units(names.size());
  std::vector<std::size_t> indexes;
  std::vector<std::string> asked;
  const auto flush = [&] {
    std::vector<UnitStatus> found = ask(system, asked);
    for (std::size_t i = 0; i < found.size(); ++i) units[indexes[i]] = std::move(found[i]);
    indexes.clear();
    asked.clear();
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    units[i] = {.id = names[i], .load = "not-found", .active = "inactive", .sub = "dead"};
    if (!is_unit_argument(names[i])) continue;
    indexes.push_back(i);
    asked.push_back(names[i]);
    if (asked.size() == names_at_once) flush();
  }
  flush();
  return units;
}

}  // namespace holdfast
