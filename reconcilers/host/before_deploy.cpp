#include <reconcilers/host/before_deploy.hpp>

#include <reconcilers/backup/policy.hpp>

#include <algorithm>

namespace holdfast {

namespace {

bool is_path(PrimitiveType type) {
  return type == PrimitiveType::directory || type == PrimitiveType::tree || type == PrimitiveType::file ||
         type == PrimitiveType::link;
}

bool lies_in(const std::string& path, const std::string& folder) { return (path + "/").starts_with(folder + "/"); }

/// What backups themselves are made of asks for none.
bool is_of_backups(const PrimitiveId& id) {
  return id.name == "/etc/holdfast" || lies_in(id.name, backup_policy_folder) ||
         id.name.starts_with("holdfast-backup-") || id.name.starts_with("/etc/systemd/system/holdfast-backup-");
}

bool comes_after(const Wanted& wanted, PrimitiveType type, const std::string& name) {
  return std::ranges::any_of(
      wanted.after, [&](const PrimitiveId& id) { return id.type == type && (name.empty() || id.name == name); });
}

/// Whoever uses the data is not said, so everything that may be an application counts: releases, commands (migrations),
/// and services whose unit file is managed.
bool may_use_data(const Action& action, const Wanted& wanted) {
  const PrimitiveId& id = action.id;
  if (id.type == PrimitiveType::tree || id.type == PrimitiveType::command) return true;
  if (id.type == PrimitiveType::link) return comes_after(wanted, PrimitiveType::tree, "");
  return id.type == PrimitiveType::unit && id.name.ends_with(".service") &&
         comes_after(wanted, PrimitiveType::file, "/etc/systemd/system/" + id.name);
}

bool is_of_postgres(const PrimitiveId& id) {
  const bool named = id.type == PrimitiveType::package || id.type == PrimitiveType::unit;
  return (named && id.name.starts_with("postgresql")) || lies_in(id.name, "/etc/postgresql");
}

bool touches(const BackupPolicy& policy, const Action& action) {
  for (const BackupSource& source : policy.sources) {
    if (source.engine == BackupEngine::postgres && is_of_postgres(action.id)) return true;
    for (const std::string& path : paths_of(source)) {
      if (is_path(action.id.type) && (lies_in(action.id.name, path) || lies_in(path, action.id.name))) return true;
    }
  }
  return false;
}

bool is_covered(const Value& written, const BackupPolicy& policy, const Action& action, const Wanted& wanted) {
  if (is_of_backups(action.id)) return false;
  if (const Value* covers = written.find("covers")) {
    return std::ranges::find(covers->as_list(), Value(to_text(action.id))) != covers->as_list().end();
  }
  return touches(policy, action) || may_use_data(action, wanted);
}

}  // namespace

std::vector<PlannedBackup> backups_before(const Bundle& bundle, const std::vector<Action>& actions,
                                          const std::vector<Wanted>& wanted) {
  std::vector<PlannedBackup> backups;
  for (const Wanted& one : bundle.wanted) {
    const auto written = one.parameters.find("backup");
    if (written == one.parameters.end()) continue;
    const BackupPolicy policy = backup_policy_from(written->second);
    for (std::size_t i = 0; i < actions.size(); ++i) {
      if (!is_covered(written->second, policy, actions[i], wanted[i])) continue;
      backups.push_back({.policy = policy.name, .because = actions[i].id, .origin = one.origin});
      break;
    }
  }
  return backups;
}

const Value* bundled_policy(const Bundle& bundle, const std::string& name) {
  for (const Wanted& one : bundle.wanted) {
    const auto written = one.parameters.find("backup");
    if (written != one.parameters.end() && written->second.text_or("name", "") == name) return &written->second;
  }
  return nullptr;
}

}  // namespace holdfast
