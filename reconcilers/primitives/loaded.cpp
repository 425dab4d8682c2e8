#include <reconcilers/primitives/loaded.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/host/systemctl.hpp>
#include <reconcilers/primitives/place.hpp>
#include <reconcilers/primitives/tree_record.hpp>

#include <algorithm>
#include <chrono>
#include <map>

namespace holdfast {

namespace {

constexpr std::size_t max_memory_bytes = 16U << 20U;
constexpr const char* unknown = "unknown";

std::string memory_path() { return std::string(state_folder) + "/loaded.json"; }

Value read_memory(const System& system) {
  const std::optional<std::string> text = system.read(memory_path(), max_memory_bytes);
  if (!text) return Map();
  try {
    return from_json(*text);
  } catch (const Error&) {
    return Map();  // what can't be read is not remembered: the disk is asked instead
  }
}

/// What a unit's process takes in of a primitive in that state.
std::string loaded_part(const Attributes& state) {
  for (const char* attribute : {"content", "target", "digest", "version"}) {
    const auto found = state.find(attribute);
    if (found != state.end() && is_present(state)) return found->second.as_text();
  }
  return "absent";
}

bool has_path(PrimitiveType type) {
  return type == PrimitiveType::file || type == PrimitiveType::link || type == PrimitiveType::tree;
}

/// What is on the disk now, without hashing a whole release again.
Attributes state_on_disk(const System& system, const PrimitiveId& id) {
  if (!has_path(id.type)) {
    const Wanted wanted{.id = id};
    const Wanted* const question = &wanted;
    return primitive_kind(id.type).observe(system, {&question, 1}).at(0);
  }
  if (!system.stat(id.name)) return {{"present", false}};
  Attributes state{{"present", true}};
  if (id.type == PrimitiveType::file) state["content"] = system.digest(id.name).value_or("");
  if (id.type == PrimitiveType::link) state["target"] = system.read_link(id.name).value_or("");
  if (id.type == PrimitiveType::tree) {
    const std::optional<TreeRecord> record = read_tree_record(system, id.name);
    state["digest"] = record ? record->digest : "unknown";
  }
  return state;
}

/// When something of a primitive last changed, as the file system says.
std::int64_t changed_ns(const System& system, const PrimitiveId& id) {
  const std::optional<FileStat> stat = system.stat(id.name);
  std::int64_t latest = stat ? stat->changed_ns : 0;
  if (id.type != PrimitiveType::tree) return latest;
  const std::optional<TreeRecord> record = read_tree_record(system, id.name);
  if (!record) return latest;
  for (const ReleaseEntry& entry : record->entries) {
    const std::optional<FileStat> below = system.stat(id.name + "/" + entry.path);
    if (below) latest = std::max(latest, below->changed_ns);
  }
  return latest;
}

/// systemd's monotonic time of the start as the wall clock counts now: right also where the clock was set since.
std::int64_t started_ns(const System& system, std::int64_t monotonic_us) {
  const auto monotonic = std::chrono::steady_clock::now().time_since_epoch();
  const std::int64_t now_us = std::chrono::duration_cast<std::chrono::microseconds>(monotonic).count();
  return system.now_ns() - (now_us - monotonic_us) * 1000;
}

bool runs(const Attributes& unit) { return Value(unit).text_or("active", "stopped") == "running"; }

}  // namespace

std::string loaded_digest(const LoadedStates& states) {
  std::map<std::string, std::string> parts;
  for (const auto& [id, attributes] : states) parts.insert_or_assign(to_text(id), loaded_part(attributes));
  List list;
  for (const auto& [name, part] : parts) list.emplace_back(List{name, part});
  return sha256(to_json(std::move(list)));
}

std::optional<std::string> observed_loaded(const System& system, const std::string& unit, const Attributes& observed,
                                           const LoadedStates& observed_loads) {
  if (!runs(observed)) return std::nullopt;
  const Value state = observed;
  const std::string invocation = state.text_or("invocation", "");
  const Value memory = read_memory(system);
  std::int64_t monotonic_us = state.int_or("started_us", 0);
  if (const Value* known = memory.find(unit); known != nullptr && !invocation.empty()) {
    const bool same = known->text_or("invocation", "") == invocation;
    const std::int64_t changed_us = state.int_or("changed_us", 0);
    if (same && known->int_or("changed_us", changed_us) == changed_us) return known->text_or("digest", unknown);
    if (same) monotonic_us = changed_us;  // somebody else reloaded it: it took in what was on the disk then
  }
  if (monotonic_us == 0) return unknown;
  const std::int64_t started = started_ns(system, monotonic_us);
  const bool changed = std::ranges::any_of(observed_loads, [&](const auto& one) {
    return has_path(one.first.type) && changed_ns(system, one.first) > started;
  });
  return changed ? unknown : loaded_digest(observed_loads);
}

void remember_loaded(System& system, const std::string& unit, const std::vector<PrimitiveId>& loads) {
  LoadedStates states;
  for (const PrimitiveId& id : loads) states.emplace_back(id, state_on_disk(system, id));
  const std::vector<UnitStatus> status = show_units(system, {unit});
  Value memory = read_memory(system);
  memory[unit] = Map{{"digest", loaded_digest(states)},
                     {"invocation", status.at(0).invocation},
                     {"changed_us", status.at(0).changed_monotonic_us}};
  ensure_folder(system, state_folder);
  system.write(memory_path(), to_json(memory), {.mode = 0600});
}

}  // namespace holdfast
