#pragma once

#include <controller/connection.hpp>
#include <controller/health/health.hpp>
#include <manifests/value.hpp>
#include <reconcilers/host/plan.hpp>
#include <reconcilers/kinds/lower.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// What a runner said of its host when it started (docs/protocol.md, hello).
struct Hello {
  std::string version{}, hostname{}, machine_id{}, boot_id{};
  std::int64_t epoch = 0;
  std::string generation_transaction{}, generation_bundle{}, generation_commit{};  // empty: none confirmed yet
  std::string open_transaction{}, open_state{};                                    // empty: none open
  bool watches = false;                                                            // it can notice changes by itself
  bool traces = false;  // it can be asked who did it
};

/// A transaction of a host that is not at its end.
struct OpenTransaction {
  std::string transaction{};
  std::string state{};
  std::string bundle_digest{};
};

/// How the backups of one policy stand on a host.
struct BackupReply {
  std::string policy{};
  std::string problem{};  // "", "never", "missed", "failed", "damaged"
  std::string detail{};
  std::string verified_id{};  // the newest verified one; empty for none
  std::int64_t verified_at_ms = 0;
  std::int64_t bytes = 0;
};
Value to_value(const BackupReply& backup);
/// Checked like every answer of a host; throws Error.
BackupReply backup_reply_from(const Value& value);

/// How a transaction stands, by the host's own journal.
struct TransactionReply {
  std::string state{};      // open, pending, confirmed, rolled_back, rollback_failed, refused; asked for: also none
  std::string failed_id{};  // the primitive that failed, where one did
  std::string what{};
  std::string output{};
  bool changed = false;             // somebody else changed the host meanwhile: no fault of the change
  bool cut_off = false;             // nothing failed: a death, a restart, or nobody confirmed
  std::vector<std::string> left{};  // after a failed rollback: what is where
};

/// Nothing more will come of it: also where the host refused it, or has not begun and never will.
bool is_at_end(const TransactionReply& reply);

/// What came of a transaction that the host was asked for by its id.
struct AskedTransaction {
  std::string transaction{};
  std::string commit{};  // these two are empty where the host has no record of it
  std::string bundle_digest{};
  TransactionReply reply{};
};

/// Another controller that keeps a host.
struct OtherOwner {
  std::string name{};
  std::int64_t seen_ms_ago = 0;
  bool lapsed = false;  // it was silent for longer than its lease
};

struct PlanReply {
  Plan plan{};
  std::optional<OpenTransaction> open{};  // read together with the plan
  std::optional<OtherOwner> owner{};      // empty: the host is ours, or was not claimed
  std::int64_t epoch = 0;                 // the host's
  std::vector<AskedTransaction> asked{};  // in the order of the request
  std::vector<BackupReply> backups{};
  std::map<std::string, std::string> old_contents{};  // digest -> bytes, of text files that change and may be shown
};

struct ApplyRequest {
  std::string transaction{};
  std::int64_t epoch = 0;
  std::string bundle_digest{};
  std::string plan_digest{};
  std::string commit{};
  std::int64_t deadman_ms = 120'000;
  bool allow_prune = false;          // as the plan was asked for
  std::vector<std::string> leave{};  // as in the plan
};

/// Events as they come, as docs/protocol.md has them.
using OnEvent = std::function<void(const Value&)>;
/// Bytes of a digest, for what the host lacks; throws Error where they can't be had.
using ContentSource = std::function<std::string(const std::string& digest)>;

/// The host answered, that it can't do what it was asked for: nothing is wrong with the way to it.
class HostSaysNo : public Error {
 public:
  using Error::Error;
};

/// One host's runner over one connection: requests as functions, replies as values. Used by one thread at a time.
/// Throws Error when the connection is lost, at a deadline, or when the host breaks the protocol (its replies are
/// hostile until checked); HostSaysNo when the host says why it can't.
class RunnerClient : public HostProbe {
 public:
  explicit RunnerClient(std::unique_ptr<Connection> connection);
  ~RunnerClient() override;

  /// Who asks, from now on: hosts belong to one controller at a time.
  void introduce(const std::string& id, const std::string& name);

  /// Known after the first reply of any request.
  [[nodiscard]] const Hello& hello() const;
  [[nodiscard]] bool alive() const;

  /// Asks the host, once, to say when something changes on it; nothing where its runner can't. Of what it could not
  /// watch, the text says so; else it is empty.
  std::string keep_watch(Deadline deadline);
  /// Who changed what has drifted (ids), as far as the host's logs tell; empty where its runner can't say.
  struct Trace {
    std::string id{};
    std::int64_t at_ms = 0;  // 0: not known
    std::string by{};        // for people: "alice (uid 1000, sudo vi /etc/motd)", "unknown"
  };
  std::vector<Trace> traces(const std::vector<std::string>& ids, Deadline deadline);
  /// Takes in what the host said unasked, without waiting.
  void hear();
  /// Whether the host said since the last call that something changed on it, and what it knows of it.
  std::optional<Value> take_changed();
  /// Can be read when there is something to hear(); -1: nobody watches.
  [[nodiscard]] int wake_fd() const;

  struct Claim {
    std::int64_t lease_ms = 0;  // how long we may be silent before another one may take over; 0: nothing is claimed
    bool adopt = false;         // also from one that is not silent
  };
  /// How a plan is asked for.
  struct PlanRequest {
    bool show = false;                 // old contents too, of what may be shown
    bool known = false;                // the host has had this bundle before: its digest alone is tried first
    std::string digest{};              // of the bundle, where the caller has it already
    std::vector<std::string> asked{};  // ids of transactions whose end is not known
    bool allow_prune = false;          // a person said that much may be removed, this one time
    std::int64_t epoch = 0;            // with it, what the host has not begun of those never will be,
                                       // and a host may be taken over
    Claim claim{};
    std::vector<std::string> leave{};  // ids that are not touched: somebody else goes on changing them
  };
  /// Sends the bundle only when the runner does not have it by its digest.
  PlanReply plan(const Bundle& bundle, const PlanRequest& request, Deadline deadline);
  void send(const std::vector<std::string>& digests, const ContentSource& contents, Deadline deadline);
  TransactionReply apply(const ApplyRequest& request, const OnEvent& on_event, Deadline deadline);
  TransactionReply attach(const std::string& transaction, const OnEvent& on_event, Deadline deadline);
  TransactionReply confirm(const std::string& transaction, std::int64_t epoch, Deadline deadline);
  TransactionReply rollback(const std::string& transaction, std::int64_t epoch, const std::string& reason,
                            const OnEvent& on_event, Deadline deadline);
  std::vector<std::string> journal(const std::string& unit, int lines, Deadline deadline);
  /// The transaction that is open on the host, where there is one.
  std::optional<OpenTransaction> open_transaction(Deadline deadline);
  /// What came of one transaction; `epoch` as in PlanRequest.
  TransactionReply came_of(const std::string& transaction, std::int64_t epoch, Deadline deadline);
  struct Standing {
    std::optional<OpenTransaction> open{};
    std::optional<OtherOwner> owner{};
    std::int64_t epoch = 0;
  };
  Standing claim(const Claim& claim, std::int64_t epoch, Deadline deadline);
  Value status(Deadline deadline);
  /// Every policy with its backups, or one of them ("" for all): docs/protocol.md, backups.
  Value backups(const std::string& policy, Deadline deadline);
  /// Takes one now, and reads one back ("" for the newest): {"ok", "error", "note", "record", "removed"}.
  Value backup_run(const std::string& policy, const OnEvent& on_event, Deadline deadline);
  Value backup_verify(const std::string& policy, const std::string& id, const OnEvent& on_event, Deadline deadline);

  std::unique_ptr<Stream> dial(const std::string& address, Deadline deadline) override;
  Unit unit(const std::string& name, Deadline deadline) override;
  Result run(const std::vector<std::string>& argv, const std::string& user, std::int64_t timeout_ms,
             Deadline deadline) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
