#pragma once

#include <controller/rollout/controller.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace holdfast {

/// What became of a commit's revert, as it is remembered across restarts.
struct RevertRecord {
  std::string state{};   // "waiting" (for the remote, or for its leave), "pushed", "there" (somebody has such a branch), "impossible"
  std::string branch{};  // "holdfast/revert-1f2e3d4c5b6a"
  std::string detail{};  // why it waits or can't be
  std::int64_t at_ms = 0;
};

/// What is known of it; nullopt where nothing was tried.
std::optional<RevertRecord> revert_record(Store& store, const std::string& commit);

/// Makes and pushes a branch with a revert for every commit that was rolled back and is held: once per commit, never
/// over a branch that is there. It reads the holds in the store, so nothing is lost with a process, and a remote that
/// is away delays nothing but the branch. Belongs to one thread.
class RevertDesk {
 public:
  RevertDesk(const ControllerSettings& settings, Store& store, const Clock& clock, OnProgress on_progress);

  /// One look at the holds. Milliseconds until the next one is of use.
  std::int64_t turn();

 private:
  void consider(const Environment& environment, const Hold& hold);
  [[nodiscard]] RevertRecord make(const Environment& environment, const Deployment& failed, RevertRecord record);
  void remember(const Deployment& failed, const RevertRecord& record);
  void tell(const Deployment& failed, const RevertRecord& record);

  const ControllerSettings& settings_;
  Store& store_;
  const Clock& clock_;
  OnProgress on_progress_;
  std::unique_ptr<Mirror> mirror_{};
  std::set<std::string> settled_{};  // commits that need no other look
  std::int64_t pause_ms_ = 0;        // after a remote that was away
  bool away_ = false;
};

}  // namespace holdfast
