#pragma once

#include <controller/git/release_sources.hpp>
#include <controller/rollout/choice.hpp>
#include <controller/rollout/desired.hpp>
#include <controller/rollout/host_run.hpp>
#include <controller/rollout/schedule.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace holdfast {

/// What came of one environment's turn.
struct EnvironmentReport {
  std::string environment{};
  std::string commit{};             // that was wanted; empty where there was none
  std::string tag{};                // that the commit was found by; empty where none was followed
  std::vector<Problem> problems{};  // the commit was refused whole
  std::string refused{};            // why the source as a whole was refused: rewritten, lost
  std::vector<HostReport> hosts{};
};

struct EnvironmentJob {
  Environment environment{};
  std::string requested_by{};
  std::vector<std::string> only_hosts{};  // empty: all
  std::size_t workers = 16;
  bool allow_prune = false;  // see HostJob
  bool repair = false;       // drift is put right whatever the policy says: a person asked for it
  LoadOptions load{};
  std::int64_t patience_ms = 0;  // with hosts that another process of this controller is at
};

/// The desired states used last by commit, made once: keyed by environment, policy commit and content commit.
class DesiredCache {
 public:
  using Make = std::function<Desired()>;
  std::shared_ptr<const Desired> get(const std::string& key, const Make& make);

 private:
  struct Kept {
    std::string key{};
    std::shared_ptr<const Desired> desired{};
  };
  std::vector<Kept> kept_;  // what was used last at the end
};

struct EnvironmentTools {
  HostTools& host;
  const Mirror& mirror;
  GitReleaseSources& sources;
  DesiredCache& cache;
  std::mutex& git;              // held while the three above are used: they belong to one thread at a time
  std::string refused_head{};   // a commit that is not followed: the root branch's, of which a part was refused
  std::string policy_commit{};  // the root branch's, that the environment was read from
};

struct EnvironmentPoll;
class HostTurns;

/// THE order of the stages for one environment: resolve the tracked ref, refuse what may not be followed, load and
/// lower, choose each host's turn, keep what is steady in force, let the canary go first, then the others.
///
/// poll() does all of it up to the choices and hands them to a Schedule; the hosts' turns then go on beside each other,
/// and a host that is slow or dead holds up neither the others nor the next poll. Lives as long as its environment is
/// followed; poll() and wait() are called by one thread at a time.
class EnvironmentRun {
 public:
  EnvironmentRun(HostTools& host, const ScheduleLimits& limits);
  /// Begins nothing more and waits for the turns that have begun.
  ~EnvironmentRun();
  EnvironmentRun(const EnvironmentRun&) = delete;
  EnvironmentRun& operator=(const EnvironmentRun&) = delete;

  /// Throws Error only when the mirror or the store can't be used.
  EnvironmentReport poll(const EnvironmentJob& job, const EnvironmentTools& tools);
  /// Another turn for these hosts, by what is known now: of those that have what is wanted, or have to keep what they
  /// have. The others are left to the next poll. The answer names those that are busy, to be asked for again.
  std::vector<std::string> wake(const std::vector<std::string>& hosts);
  /// Waits until every host had its turn; what came of each since the last call, by name. Throws the first Error that
  /// left a turn.
  std::vector<HostReport> wait();

 private:
  std::shared_ptr<EnvironmentPoll> newest_{};
  std::unique_ptr<HostTurns> turns_;
};

/// What a command that only looks needs of the same stages: the desired state of the commit that would be rolled out.
std::shared_ptr<const Desired> desired_now(const EnvironmentJob& job, EnvironmentTools& tools,
                                           EnvironmentReport& report);

/// 0 done or nothing to do, 1 error, 3 rolled back or held, 4 refused by policy: the program's exit code.
int exit_code(const EnvironmentReport& report);

}  // namespace holdfast
