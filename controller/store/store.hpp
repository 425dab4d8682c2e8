#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

struct AuditEntry;

/// What came of one transaction on one host. Only `deployed` and `repaired` are success. `superseded` was undone before
/// anybody had judged it, because something else was wanted meanwhile.
enum class Outcome { running, deployed, repaired, rolled_back, rollback_failed, refused, failed, unknown, superseded };
std::string_view to_text(Outcome outcome);
Outcome outcome_from(std::string_view text);

/// One transaction of one host, as `history` lists it and `show` tells it.
struct Deployment {
  std::int64_t id = 0;
  std::string environment{};
  std::string host{};
  std::string transaction{};
  std::string commit{};       // what was asked for
  std::string from_commit{};  // the host's verified commit before it; empty on the first
  std::string subject{};      // first line of the commit's message
  std::string author{};
  std::string cause{};         // "commit", "drift", "rollback", "retry"
  std::string requested_by{};  // "holdfast run", or the login that gave the command
  Outcome outcome = Outcome::running;
  std::string reason{};       // why it ended so; empty for plain success
  std::string plan{};         // JSON of the plan as it was begun
  std::string result{};       // JSON of what came of each change and check; empty before anything did
  std::int64_t begun_ms = 0;  // wall clock, milliseconds since the epoch
  std::int64_t ended_ms = 0;  // 0 while it runs
  std::string process{};      // whose turn it is (life_sign.hpp); empty: unknown
};

/// One line of what happened in a deployment, in order.
struct DeploymentEvent {
  std::int64_t at_ms = 0;
  std::string text{};
};

/// How the reason begins of what is taken back after it was healthy.
inline constexpr std::string_view late_reason = "late watch: ";

/// How a host stands: desired, held and live are three things.
struct HostRecord {
  std::string environment{};
  std::string host{};
  std::string state{};   // converged, held, unreachable, refused, rollback_failed, waiting, failed, new
  std::string detail{};  // why, for people
  std::string desired_commit{};
  std::string live_commit{};    // of the newest verified generation; empty before the first
  std::string live_bundle{};    // its bundle digest
  std::string live_checks{};    // its checks, JSON: what must pass again after a rollback
  std::string backups{};        // how its backups stood when it was last asked, JSON; empty before
  std::int64_t seen_ms = 0;     // last time the host answered
  std::int64_t changed_ms = 0;  // last time the state changed
  std::int64_t epoch = 0;       // the host's, as far as we know all that it has been through
  friend bool operator==(const HostRecord&, const HostRecord&) = default;
};

/// A desired state that failed on a host, and is not tried again there until it differs or somebody says `retry`.
struct Hold {
  std::string environment{};
  std::string host{};
  std::string bundle{};
  std::string commit{};
  std::string reason{};
  std::int64_t since_ms = 0;
  std::int64_t deployment = 0;
  std::string
      back_to{};  // the verified commit that a host which has `bundle` goes back to; empty: it keeps what it has
};

/// Something of a host that was put right, or could not be, because somebody else had changed it.
struct Fight {
  std::string id{};      // the primitive's
  std::string wanted{};  // digest of what is wanted of it
  std::int64_t at_ms = 0;
};

/// A person's `rollback`: while the tracked branch is at `head`, `target` is what the environment should be.
struct Pin {
  std::string environment{};
  std::string head{};
  std::string target{};
  std::string requested_by{};
  std::string reason{};
  std::int64_t since_ms = 0;
};

/// What a person took out of our hands for a time: an environment, one of its hosts, one of its applications, or an
/// application on one host. Nothing of it is changed meanwhile; what differs is told.
struct Suspension {
  std::string environment{};
  std::string host{};  // empty: all hosts
  std::string app{};   // empty: all that the hosts have
  std::string by{};    // the login that gave the command
  std::string reason{};
  std::int64_t since_ms = 0;
  std::int64_t until_ms = 0;  // it is over then, by itself
  friend bool operator==(const Suspension&, const Suspension&) = default;
};

/// A host that has a new commit, healthy and confirmed, and is watched for a while yet.
struct LateWatch {
  std::string environment{};
  std::string host{};
  std::int64_t deployment = 0;  // that brought it
  std::string commit{};
  std::string bundle{};
  std::string back_to{};      // the verified commit before; empty: there is none
  std::int64_t begun_ms = 0;  // wall clock
  std::int64_t for_ms = 0;    // how long it is to be watched
  std::string tally{};        // JSON of what was seen so far (health/late_tally.hpp)
  friend bool operator==(const LateWatch&, const LateWatch&) = default;
};

/// How an environment's source stands.
struct EnvironmentRecord {
  std::string name{};
  std::string tracked{};   // "branch main", "tag v1.4.2", "tags v* of branch main"
  std::string head{};      // the tracked ref's commit, as last fetched
  std::string accepted{};  // the newest commit that was accepted for rollout: heads must descend from it
  std::string state{};     // following, stale, pinned, refused, rewritten, lost
  std::string detail{};
  std::int64_t changed_ms = 0;
  std::string accepted_tag{};  // that `accepted` was found by; empty where a branch was followed
};

/// Something that an environment (host empty) or one of its hosts waits for before it takes a commit.
struct Wait {
  std::string host{};
  std::string gate{};    // "environment staging"
  std::string commit{};  // that waits
  std::string why{};     // what is asked for; the same as long as nothing changes
  std::string found{};   // what was found when it was asked last
  std::int64_t since_ms = 0;
  friend bool operator==(const Wait&, const Wait&) = default;
};

/// Since when a host has been as it is: the same state at the same verified commit, and no deployment ended since.
struct Undisturbed {
  std::string host{};
  std::string commit{};
  std::string state{};
  std::int64_t since_ms = 0;
};

/// A commit as people are told of it.
struct Revision {
  std::string commit{};
  std::string subject{};
  std::string author{};
};

/// The controller's memory: one SQLite file, a mirror of what hosts and git say (it can be deleted: it is rebuilt from
/// them, but for history). Rollback journal, not WAL: Debian 12's SQLite has the WAL-reset bug. Several processes may
/// have it open (the daemon and commands); within one process calls are serialised. Every method throws Error when the
/// file can't be used.
class Store {
 public:
  /// Creates the file (0600) and its schema where missing. `":memory:"` for tests.
  static std::unique_ptr<Store> open(const std::string& path);
  virtual ~Store() = default;

  virtual std::int64_t begin_deployment(const Deployment& deployment) = 0;
  virtual void end_deployment(std::int64_t id, Outcome outcome, const std::string& reason, std::int64_t at_ms) = 0;
  /// A deployment that had ended well is rolled back after all, by another one; when it ended stays as it was.
  virtual void take_back_deployment(std::int64_t id, const std::string& reason, std::int64_t at_ms) = 0;
  virtual void put_result(std::int64_t id, const std::string& result) = 0;
  /// On the disk with the next write, half a second later at most while more come; events() sees it at once.
  virtual void add_event(std::int64_t deployment, std::int64_t at_ms, const std::string& text) = 0;
  /// Newest first; empty texts match all.
  virtual std::vector<Deployment> deployments(const std::string& environment, const std::string& host, int limit) = 0;
  virtual std::optional<Deployment> deployment(std::int64_t id) = 0;
  /// Those of a host whose end is not known (running, unknown), the oldest first: the host has to be asked. Without
  /// plan and result. Empty texts match all.
  virtual std::vector<Deployment> unsettled(const std::string& environment, const std::string& host,
                                            int limit = 16) = 0;
  /// The ids of a host's transactions, of whatever environment.
  virtual std::set<std::string> transactions(const std::string& host) = 0;
  virtual std::vector<DeploymentEvent> events(std::int64_t deployment) = 0;

  virtual void put_host(const HostRecord& record) = 0;
  /// When hosts answered last, by name: one transaction for all of them. Those without a record are passed over.
  virtual void saw_hosts(const std::string& environment, const std::map<std::string, std::int64_t>& seen_ms) = 0;
  virtual std::optional<HostRecord> host(const std::string& environment, const std::string& host) = 0;
  virtual std::vector<HostRecord> hosts(const std::string& environment) = 0;

  /// How long the last restart of a unit kept it from running, by unit; only grows and is overwritten.
  virtual void put_downs(const std::string& environment, const std::string& host,
                         const std::map<std::string, std::int64_t>& down_ms) = 0;
  virtual std::map<std::string, std::int64_t> downs(const std::string& environment, const std::string& host) = 0;

  virtual void put_hold(const Hold& hold) = 0;
  virtual std::vector<Hold> holds(const std::string& environment) = 0;
  /// All of an environment's, or one host's; how many there were.
  virtual int remove_holds(const std::string& environment, const std::string& host) = 0;

  /// What was fought for on a host.
  virtual void put_fights(const std::string& environment, const std::string& host,
                          const std::vector<Fight>& fights) = 0;
  virtual std::vector<Fight> fights(const std::string& environment, const std::string& host) = 0;  // the oldest first
  /// Of all of an environment's hosts, or one; how many there were.
  virtual int remove_fights(const std::string& environment, const std::string& host) = 0;

  virtual void put_pin(const Pin& pin) = 0;
  virtual std::optional<Pin> pin(const std::string& environment) = 0;
  virtual bool remove_pin(const std::string& environment) = 0;

  /// In place of the one of the same environment, host and application.
  virtual void put_suspension(const Suspension& suspension) = 0;
  /// The oldest first, those among them whose time is over; "": of all environments.
  virtual std::vector<Suspension> suspensions(const std::string& environment) = 0;
  /// False where the file no longer has exactly this one: somebody else ended it, or gave it another time.
  virtual bool remove_suspension(const Suspension& suspension) = 0;

  /// In place of those of the same hosts, in one transaction.
  virtual void put_late_watches(const std::vector<LateWatch>& watches) = 0;
  virtual std::vector<LateWatch> late_watches(const std::string& environment) = 0;  // by host
  /// Where it is still the one of this deployment.
  virtual void remove_late_watch(const LateWatch& watch) = 0;

  /// Under which commit of the root branch a host got the verified state of `commit`; the newest few of each host are
  /// kept. Empty where that is not known.
  virtual void put_policy_of(const std::string& environment, const std::string& host, const std::string& commit,
                             const std::string& policy) = 0;
  virtual std::string policy_of(const std::string& environment, const std::string& host,
                                const std::string& commit) = 0;

  /// What the hosts of an environment are to be at from now on; `hosts` is a JSON list of their names. No write where
  /// the file says the same.
  virtual void put_rollout(const std::string& environment, const Revision& revision, const std::string& hosts,
                           std::int64_t at_ms) = 0;

  /// What one host ("": the environment) waits for now; since when stays as it was for the same gate and commit.
  virtual void put_waits(const std::string& environment, const std::string& host, const std::vector<Wait>& waits) = 0;
  virtual std::vector<Wait> waits(const std::string& environment) = 0;  // "": of all; the environment's own first
  virtual std::vector<Undisturbed> undisturbed(const std::string& environment) = 0;

  virtual void put_environment(const EnvironmentRecord& record) = 0;
  virtual std::vector<EnvironmentRecord> environments() = 0;
  virtual std::optional<EnvironmentRecord> environment(const std::string& name) = 0;

  /// Something for the audit branch (controller/audit/audit.hpp), which is written there later; deployments enter by
  /// themselves.
  virtual void add_audit(const AuditEntry& entry) = 0;

  /// What else is worth knowing after a restart, by name: a text.
  virtual void put_note(const std::string& name, const std::string& text) = 0;
  virtual std::optional<std::string> note(const std::string& name) = 0;

  /// The next epoch: higher than every one before, also across restarts.
  virtual std::int64_t next_epoch() = 0;
  /// A host showed `epoch`: those that come are above it. Costs nothing where they are already.
  virtual void raise_epoch(std::int64_t epoch) = 0;
};

}  // namespace holdfast
