#pragma once

#include <reconcilers/host/journal.hpp>
#include <reconcilers/host/planner.hpp>
#include <reconcilers/host/state.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace holdfast {

/// What a controller asked for: written before the runner that does it is started.
struct TransactionRequest {
  std::string transaction{};
  std::int64_t epoch = 0;
  std::string bundle_digest{};
  std::string plan_digest{};
  std::string commit{};
  std::int64_t deadman_ms = 120'000;
  bool allow_prune = false;  // see Pruning
  std::set<PrimitiveId> leave{};  // as they are
};
Value to_value(const TransactionRequest& request);
/// The member `leave` of a request; throws Error on what is no list of ids.
std::set<PrimitiveId> leave_of(const Value& request);
/// Throws Error on an id, digest or number that is none.
TransactionRequest request_from(const Value& value);

struct Failure {
  PrimitiveId id{};      // name empty: none in particular
  std::string what{};    // one line
  std::string output{};  // what the failed program said
  bool changed = false;  // somebody else changed the host meanwhile: no fault of what was to be done
  bool cut_off = false;  // nothing failed: the runner died, the machine was restarted, or nobody confirmed
};
Value to_value(const Failure& failure);
/// Throws Error where the value is none.
Failure failure_from(const Value& value);
/// The first line tells what; the rest is output.
Failure failure_of(const PrimitiveId& id, const std::string& message);

/// One action with how far it got.
struct Touched {
  Action action{};
  Wanted wanted{};
  bool begun = false;
  bool done = false;
};

/// A transaction as its journal tells it.
struct TransactionRecord {
  TransactionRequest request{};
  std::string state{};  // "" before the runner began; docs/protocol.md has the others
  Value failure{};      // a map, or null
  std::vector<std::string> left{};
  std::string begun_at{};
  std::vector<Touched> touched{};                        // in the order of the plan
  std::int64_t deadline_ms = 0;                          // of a pending one, on the boot clock
  std::string boot_id{};                                 // on which that clock counts
  std::map<PrimitiveId, ExtendedAttributes> extended{};  // as they were before
  std::vector<std::string> reserved{};  // files that hold space for the undo, the one beside the journal first
  bool settled = false;                 // confirmed, and everything that follows from it is written
};

/// Throws Error on a journal of another version.
TransactionRecord read_transaction(const State& state, const std::string& id);
/// Adds one record of the journal to what is known.
void add_record(TransactionRecord& transaction, const Value& record);

/// The open transaction is pending, and its time has not run out: nothing is to be done about it.
bool waits_for_confirmation(const State& state);
/// True for one whose confirmation is overdue, also because the machine was restarted meanwhile.
bool is_overdue(const TransactionRecord& transaction);
/// True where nothing will happen to it any more.
bool is_at_end(const std::string& state);
/// True where a client that waits for it has its answer.
bool is_answer(const std::string& state);

/// The journal record of a plan's actions.
Value plan_record(const PreparedPlan& prepared);
/// And of the extended attributes that something has before it is changed.
Value extended_record(const PrimitiveId& id, const ExtendedAttributes& attributes);

std::int64_t boot_clock_ms();
std::string current_boot_id();
/// "2026-11-21T04:05:06Z"
std::string timestamp(std::int64_t ns);

}  // namespace holdfast
