#include "system.hpp"

namespace holdfast::simulation {

namespace {
constexpr Time wall_begin = 1'800'000'000 * second;
}

Abilities SimulatedSystem::abilities() const {
  Abilities abilities = LinuxSystem::abilities();
  abilities.units = abilities.commands = true;
  abilities.packages = abilities.accounts = false;
  return abilities;
}

std::optional<FileStat> SimulatedSystem::stat(const std::string& path) const {
  std::optional<FileStat> found = LinuxSystem::stat(path);
  if (found)
    found->changed_ns = wall_begin + host_.wall_offset + host_.changed_at(path, found->inode, found->changed_ns);
  return found;
}

void SimulatedSystem::write(const std::string& path, std::string_view bytes, const FileMeta& meta) {
  change(path, [&] { LinuxSystem::write(path, bytes, meta); });
}

void SimulatedSystem::copy(const std::string& from, const std::string& path, const FileMeta& meta) {
  change(path, [&] { LinuxSystem::copy(from, path, meta); });
}

void SimulatedSystem::append(const std::string& path, std::string_view bytes, const FileMeta& meta) {
  change(path, [&] { LinuxSystem::append(path, bytes, meta); });
}

bool SimulatedSystem::hard_link(const std::string& from, const std::string& path) {
  return change(path, [&] { return LinuxSystem::hard_link(from, path); });
}

void SimulatedSystem::make_directory(const std::string& path, const FileMeta& meta) {
  change(path, [&] { LinuxSystem::make_directory(path, meta); });
}

void SimulatedSystem::put_link(const std::string& path, const std::string& target) {
  change(path, [&] { LinuxSystem::put_link(path, target); });
}

void SimulatedSystem::set_meta(const std::string& path, const FileMeta& meta) {
  change(path, [&] { LinuxSystem::set_meta(path, meta); });
}

void SimulatedSystem::set_owner(const std::string& path, std::optional<std::uint32_t> uid,
                                std::optional<std::uint32_t> gid) {
  change(path, [&] { LinuxSystem::set_owner(path, uid, gid); });
}

void SimulatedSystem::rename(const std::string& from, const std::string& to) {
  change(to, [&] { LinuxSystem::rename(from, to); });
}

void SimulatedSystem::remove_file(const std::string& path) {
  change(path, [&] { LinuxSystem::remove_file(path); });
}

bool SimulatedSystem::remove_directory(const std::string& path) {
  return change(path, [&] { return LinuxSystem::remove_directory(path); });
}

void SimulatedSystem::remove_tree(const std::string& path) {
  change(path, [&] { LinuxSystem::remove_tree(path); });
}

std::optional<std::vector<System::UnitProperties>> SimulatedSystem::unit_properties(
    const std::vector<std::string>& units, const std::vector<std::string>& wanted) const {
  std::vector<UnitProperties> found;
  for (const std::string& unit : units) found.push_back(host_.init().properties(unit, wanted));
  return found;
}

bool SimulatedSystem::start_transient(const TransientUnit& unit) {
  host_.machine().point("start of " + unit.name);
  const bool started = host_.init().start_transient(unit);
  host_.machine().point("started " + unit.name);
  return started;
}

bool SimulatedSystem::run_unit_job(UnitJob job, const std::string& unit) {
  host_.machine().point("job");
  return job == UnitJob::stop && unit.ends_with(".timer") && host_.init().stop_timer(unit);
}

Output SimulatedSystem::ask(const Command& command) const {
  host_.machine().point("command " + command.argv.at(0));
  Output output = host_.init().run(command);
  host_.machine().point("command done");
  return output;
}

}  // namespace holdfast::simulation
