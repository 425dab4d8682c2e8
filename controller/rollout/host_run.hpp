#pragma once

#include <controller/rollout/clock.hpp>
#include <controller/rollout/desired.hpp>
#include <controller/rollout/progress.hpp>
#include <controller/ssh/session_pool.hpp>
#include <controller/store/store.hpp>

#include <functional>
#include <optional>
#include <string>

namespace holdfast {

/// What came of one host's turn.
enum class HostResult {
  unchanged,        // as wanted already
  deployed,         // a new desired state, healthy and confirmed
  repaired,         // drift put right
  degraded,         // done and confirmed, but a check that failed before goes on failing
  rolled_back,      // failed, undone, held
  rollback_failed,  // failed, and so did the undo: left for a person
  refused,          // the plan can't be applied; nothing was done
  failed,           // the host says that it can't, and why; nothing is known to have been done
  unreachable,      // no contact, nothing known to have been done
  unknown,          // contact lost in the middle; the host decides (dead-man), asked again next time
  held,             // this desired state failed here before
  waiting,          // another host failed this commit, or the canary is not done
  contended,        // as wanted, but for what somebody else goes on changing: left alone
  drifted,          // differs from what was verified, and the policy says that this is only told
  disturbed,        // somebody else changed the host meanwhile: undone, not held, tried again next time
  suspended,        // a person took it out of our hands for a time: nothing is done but to look
  observing,        // another controller keeps this host; nothing was done
  busy,             // another process of this controller is at the host
};
std::string_view to_text(HostResult result);

/// How a host stands that is kept in its last verified state while another one is wanted of it.
struct Standing {
  std::string state{};  // "held", "waiting" or "suspended"
  std::string why{};
  std::string wanted_commit{};
};

/// One host's turn: what it should be, and why now.
struct HostJob {
  std::string environment{};
  const HostDesired* desired = nullptr;
  Commit commit{};       // that `desired` is of
  std::string policy{};  // the root branch's commit that it was made with
  HealthPolicy health{};
  std::string requested_by{};
  bool rollback = false;               // a person asked for an older commit
  DriftPolicy drift{};                 // of the environment as it is now
  bool allow_prune = false;            // a person said that it may remove much of what is managed
  std::optional<Standing> standing{};  // what its record says instead of "converged"
  std::int64_t seen_ms = 0;            // when the host answered last, where that is newer than its record
  /// Asked before the first change: false leaves the host as it is for now (`waiting`). Empty: always.
  std::function<bool()> may_begin{};
  /// Asked at the steps' boundaries and while the health is watched: why that can no longer matter. What was begun is
  /// undone then, and nobody is to blame. An empty text: go on. Empty: never.
  std::function<std::string()> superseded{};
  /// Back from a held state that the host has to the verified one before, which `desired` is.
  bool goes_back = false;
  /// How long to wait for another process of this controller that is at the host; then it is left for this turn.
  std::int64_t patience_ms = 0;
  std::vector<std::string> leave{};  // ids of what is not touched: a person took it out of our hands
  /// Why nothing may be changed on the host now, asked before the first change: what the plan would do is told, and not
  /// done. Empty, or an empty text: it may.
  std::function<std::string()> suspended{};
  /// Nothing is done but to read what the host has been through.
  bool only_learn = false;
  /// False where what is wanted is older than `live`, or has nothing to do with it. Empty: always.
  std::function<bool(const std::string& live)> may_follow{};
  /// The host's checks at an older commit, as checks_text() has them; "" where they are not known. May be empty.
  std::function<std::string(const std::string& commit)> checks_at{};
};

class LateWatches;

/// What a turn needs of the rest of the controller; shared between threads (all of it is thread-safe).
struct HostTools {
  SessionPool& sessions;
  Store& store;
  const Clock& clock;
  OnProgress on_progress{};
  /// Bytes for a host that lacks them; throws Error.
  std::function<std::string(const Content&)> read_content{};
  /// Which process this is, and whether another one lives (life_sign.hpp). Empty: there is only this one.
  std::string process{};
  bool keep_watch = false;    // hosts are asked to say when something changes on them
  std::int64_t lease_ms = 0;  // hosts are claimed for this long; 0: they are not claimed
  std::function<bool(const std::string& process)> lives{};
  LateWatches* late = nullptr;  // of the environment; null: hosts are not watched after their deployment
};

struct HostReport {
  std::string host{};
  HostResult result = HostResult::unchanged;
  std::string detail{};
  std::int64_t deployment = 0;  // 0: nothing was begun
};

/// THE order of the stages for one host: connect and plan, settle what has no end yet, baseline, apply, health over a
/// new connection, confirm or roll back, record. Never throws for what a host does; the report says it.
HostReport run_host(const HostJob& job, HostTools& tools);

}  // namespace holdfast
