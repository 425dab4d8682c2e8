#pragma once

#include <reconcilers/host/process.hpp>
#include <reconcilers/host/system.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

struct UserEntry {
  std::string name{};
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string comment{};
  std::string home{};
  std::string shell{};
};

struct GroupEntry {
  std::string name{};
  std::uint32_t gid = 0;
  std::vector<std::string> members{};
};

/// /etc/passwd and /etc/group, read by ourselves: the runner is a static program, where the C library's own functions
/// can't load what they need. Accounts of LDAP and the like are not seen.
class Accounts {
 public:
  Accounts() = default;
  /// Lines that are no entries are left out.
  Accounts(std::string_view passwd, std::string_view group);

  [[nodiscard]] const UserEntry* user(std::string_view name) const;
  [[nodiscard]] const GroupEntry* group(std::string_view name) const;
  /// The first name of that id, else its decimal text.
  [[nodiscard]] std::string user_name(std::uint32_t uid) const;
  [[nodiscard]] std::string group_name(std::uint32_t gid) const;
  /// By name, or by decimal text; throws Error where there is none.
  [[nodiscard]] std::uint32_t uid_of(std::string_view name) const;
  [[nodiscard]] std::uint32_t gid_of(std::string_view name) const;
  /// Supplementary groups of a user, by name, sorted.
  [[nodiscard]] std::vector<std::string> groups_of(std::string_view user) const;
  /// Everything needed to run as that user (a name, or its number as text); throws Error where there is none.
  [[nodiscard]] RunAs run_as(std::string_view user) const;

 private:
  std::vector<UserEntry> users_;
  std::vector<GroupEntry> groups_;
  std::map<std::string, std::size_t, std::less<>> user_by_name_;
  std::map<std::string, std::size_t, std::less<>> group_by_name_;
  std::map<std::uint32_t, std::size_t> user_by_id_;
  std::map<std::uint32_t, std::size_t> group_by_id_;
};

/// The accounts below the system's prefix; the machine's own where the prefix has none.
Accounts read_accounts(const System& system);

}  // namespace holdfast
