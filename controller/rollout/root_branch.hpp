#pragma once

#include <controller/rollout/controller.hpp>
#include <controller/store/store.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast {

/// How the fleet's repository and its root branch stand; kept in the store, so that a controller that begins anew
/// knows what was accepted before.
struct RootRecord {
  std::string source{};  // repository and branch: what is known of another one is of no use
  std::string policy{};  // the newest commit that environments were accepted from
  std::string state{};   // following, refused, rewritten, lost
  std::string detail{};
  std::int64_t changed_ms = 0;  // when the state or its detail changed
  std::int64_t stale_ms = 0;    // when the first of too many polls failed; 0: the repository answers
  std::string stale_detail{};   // why it failed
  friend bool operator==(const RootRecord&, const RootRecord&) = default;
};

/// What is known; nullopt before the first look.
std::optional<RootRecord> root_record(Store& store);

/// "source stale since …: why; what was accepted stays in force".
std::string stale_text(const RootRecord& record);

/// Which commit of the root branch the environments are read from: its head, where that descends from the one before,
/// can be read, and still has environments; the one before in all other cases. So neither a push --force, nor a deleted
/// branch, nor a broken or emptied commit takes an environment away, or gives it other hosts and variables.
/// Belongs to one thread.
class RootBranch {
 public:
  RootBranch(const ControllerSettings& settings, Store& store, const Clock& clock);

  /// Reads manifests only when the branch has moved. Throws Error where nothing was accepted yet and there is no
  /// branch.
  const Policy& look(const Mirror& mirror);

  /// What came of a poll that was due. Too many failed ones in a row make the source stale.
  void answered();
  void failed(const std::string& why);

  [[nodiscard]] const RootRecord& record() const { return record_; }
  /// As the last look found it.
  [[nodiscard]] const Policy& policy() const { return policy_; }

 private:
  void refresh();
  void remember(RootRecord now);
  Policy judge(const Mirror& mirror, const std::optional<std::string>& head, RootRecord& now) const;
  Policy keep(const Mirror& mirror, RootRecord& now, const std::string& state, const std::string& detail) const;

  const ControllerSettings& settings_;
  Store& store_;
  const Clock& clock_;
  std::string source_;
  RootRecord record_{};
  Policy policy_{};
  std::optional<std::string> seen_{};  // the head that the policy was judged for
  bool looked_ = false;
  int failures_ = 0;
  std::int64_t first_failure_ms_ = 0;
};

}  // namespace holdfast
