#pragma once

#include <controller/rollout/environment_run.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace holdfast {

/// What the daemon and the commands share: where things are and how they are reached.
struct ControllerSettings {
  Remote repository{};
  std::string branch = "main";
  bool allow_rewrites = false;  // accept a root branch that does not descend from what was accepted last
  LoadOptions load{};
  std::string state{};  // folder
  std::size_t workers = 16;
  bool allow_prune = false;    // one time: hosts may remove much of what they manage
  bool repair = false;         // one time: drift is put right whatever the policy says
  std::string requested_by{};  // "holdfast run" or a login: told in the history
  MirrorOptions mirror{};      // which program fetches
  std::int64_t patience_ms =
      0;                      // with hosts that another process is at, where one waits; 0: as their health policy says
  bool keep_watch = false;    // hosts are asked to say when something changes on them
  std::int64_t lease_ms = 0;  // how long hosts stay ours while we are silent; 0: they are not claimed
  std::string process{};      // which one this is (life_sign.hpp)
  std::function<bool(const std::string& process)> lives{};  // whether another one still is
};

/// One environment's working set: its own view of the mirror (a Mirror belongs to one thread), its sources and its
/// cache. Made once and used turn after turn; by one thread at a time. Its end waits for turns that have begun.
class EnvironmentWorker {
 public:
  EnvironmentWorker(const ControllerSettings& settings, SessionPool& sessions, Store& store, const Clock& clock,
                    OnProgress on_progress);
  ~EnvironmentWorker();

  /// From now on this commit is followed by nobody: the root branch's head, of which a part was refused. Empty: none.
  void refuse(const std::string& commit);
  /// A poll, and what came of it on every host: returns when all of them had their turn.
  EnvironmentReport run(const Environment& environment, const std::string& policy_commit,
                        const std::vector<std::string>& only_hosts);
  /// A poll whose hosts' turns go on after it has returned: for who polls again and again. What happens is told by
  /// progress and the store.
  void poll(const Environment& environment, const std::string& policy_commit);
  /// Another turn, soon, for these hosts: for what the newest poll wants of them and they have already. The answer
  /// names those that are busy.
  std::vector<std::string> wake(const std::vector<std::string>& hosts);
  /// Hosts that should have a turn now, as a round of their late watch is due.
  std::vector<std::string> due();
  /// What would be rolled out now, or `revision` where it is given; problems and refusals are in `report`.
  std::shared_ptr<const Desired> desired(const Environment& environment, const std::string& policy_commit,
                                         const std::string& revision, EnvironmentReport& report);
  /// Bytes of a bundle's content.
  std::string read_content(const Content& content);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The environments of the root branch, and the commit that they were read from.
struct Policy {
  std::string commit{};
  std::vector<Environment> environments{};
  std::vector<Problem> problems{};
  std::string refused{};       // why the root branch's head is not taken, and which commit is instead; empty: it is
  std::string refused_head{};  // the head, where what is in it can't be taken: nobody follows it
};

/// Reads the head of the root branch, whatever was accepted before. Throws Error where the branch is missing.
Policy read_policy(const Mirror& mirror, const ControllerSettings& settings);
/// Reads the environments of a commit. Throws Error where it is missing.
Policy read_policy_at(const Mirror& mirror, const std::string& commit, const ControllerSettings& settings);

/// The mirror of the fleet's repository below the state folder.
std::unique_ptr<Mirror> open_mirror(const ControllerSettings& settings);

}  // namespace holdfast
