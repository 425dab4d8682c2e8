#include <reconcilers/host/accounts.hpp>

#include <manifests/error.hpp>

#include <algorithm>
#include <charconv>

namespace holdfast {

namespace {

constexpr std::size_t max_bytes = 64U << 20U;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                   : std::nullopt;
}

std::optional<UserEntry> user_entry(std::string_view line) {
  const std::vector<std::string_view> fields = split(line, ':');
  if (fields.size() < 7 || fields[0].empty()) return std::nullopt;
  const auto uid = number(fields[2]);
  const auto gid = number(fields[3]);
  if (!uid || !gid) return std::nullopt;
  return UserEntry{.name = std::string(fields[0]),
                   .uid = *uid,
                   .gid = *gid,
                   .comment = std::string(fields[4]),
                   .home = std::string(fields[5]),
                   .shell = std::string(fields[6])};
}

std::optional<GroupEntry> group_entry(std::string_view line) {
  const std::vector<std::string_view> fields = split(line, ':');
  if (fields.size() < 4 || fields[0].empty()) return std::nullopt;
  const auto gid = number(fields[2]);
  if (!gid) return std::nullopt;
  GroupEntry entry{.name = std::string(fields[0]), .gid = *gid, .members = {}};
  for (const std::string_view member : split(fields[3], ',')) {
    if (!member.empty()) entry.members.emplace_back(member);
  }
  return entry;
}

}  // namespace

Accounts::Accounts(std::string_view passwd, std::string_view group) {
  for (const std::string_view line : split(passwd, '\n')) {
    std::optional<UserEntry> entry = user_entry(line);
    if (!entry) continue;
    user_by_name_.try_emplace(entry->name, users_.size());
    user_by_id_.try_emplace(entry->uid, users_.size());
    users_.push_back(std::move(*entry));
  }
  for (const std::string_view line : split(group, '\n')) {
    std::optional<GroupEntry> entry = group_entry(line);
    if (!entry) continue;
    group_by_name_.try_emplace(entry->name, groups_.size());
    group_by_id_.try_emplace(entry->gid, groups_.size());
    groups_.push_back(std::move(*entry));
  }
}

const UserEntry* Accounts::user(std::string_view name) const {
  const auto found = user_by_name_.find(name);
  return found == user_by_name_.end() ? nullptr : &users_[found->second];
}

const GroupEntry* Accounts::group(std::string_view name) const {
  const auto found = group_by_name_.find(name);
  return found == group_by_name_.end() ? nullptr : &groups_[found->second];
}

std::string Accounts::user_name(std::uint32_t uid) const {
  const auto found = user_by_id_.find(uid);
  return found == user_by_id_.end() ? std::to_string(uid) : users_[found->second].name;
}

std::string Accounts::group_name(std::uint32_t gid) const {
  const auto found = group_by_id_.find(gid);
  return found == group_by_id_.end() ? std::to_string(gid) : groups_[found->second].name;
}

std::uint32_t Accounts::uid_of(std::string_view name) const {
  if (const UserEntry* entry = user(name)) return entry->uid;
  if (const auto id = number(name)) return *id;
  throw Error("there is no user \"" + std::string(name) + "\" in /etc/passwd");
}

std::uint32_t Accounts::gid_of(std::string_view name) const {
  if (const GroupEntry* entry = group(name)) return entry->gid;
  if (const auto id = number(name)) return *id;
  throw Error("there is no group \"" + std::string(name) + "\" in /etc/group");
}

std::vector<std::string> Accounts::groups_of(std::string_view user_name) const {
  std::vector<std::string> names;
  for (const GroupEntry& entry : groups_) {
    if (std::ranges::find(entry.members, user_name) != entry.members.end()) names.push_back(entry.name);
  }
  std::ranges::sort(names);
  return names;
}

RunAs Accounts::run_as(std::string_view name) const {
  const UserEntry* entry = user(name);
  const auto by_id = user_by_id_.find(number(name).value_or(static_cast<std::uint32_t>(-1)));
  if (entry == nullptr && by_id != user_by_id_.end()) entry = &users_[by_id->second];
  if (entry == nullptr)
    throw Error("cannot run as \"" + std::string(name) + "\": there is no such user in /etc/passwd");
  RunAs as{.uid = entry->uid, .gid = entry->gid, .groups = {entry->gid}, .home = entry->home, .name = entry->name};
  for (const std::string& group_of_user : groups_of(entry->name)) as.groups.push_back(group(group_of_user)->gid);
  return as;
}

Accounts read_accounts(const System& system) {
  std::optional<std::string> passwd = system.read("/etc/passwd", max_bytes);
  std::optional<std::string> group = system.read("/etc/group", max_bytes);
  if (!passwd && !group && !system.root().empty()) return read_accounts(*make_linux_system("/"));
  return {passwd.value_or(""), group.value_or("")};
}

}  // namespace holdfast
