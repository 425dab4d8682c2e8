#pragma once

#include <controller/plan/host_plan.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast {

// What the controller keeps of a transaction, so that `history` and `show` tell it in the words of `plan`: the plan as
// it was begun, with its diffs (never a secret), and what came of each change.

/// The plan as JSON text. Diffs are kept up to a limit for all of them; beyond it only their sizes.
std::string keep_plan(const HostPlan& plan);
/// The plan of such a text; also of the plain list of actions that was kept before. An unreadable one is empty.
HostPlan kept_plan(const std::string& json);

/// What came of one change.
struct ChangeResult {
  std::string state{};        // begun, done, failed, undoing, undone, undo failed
  std::string detail{};       // of a failure; printable
  std::int64_t took_ms = -1;  // -1: the host did not say
  std::int64_t down_ms = -1;  // of a restarted unit: how long it was not running
};

struct CheckResult {
  std::string name{};
  bool passed = false;
  std::string detail{};
  std::int64_t took_ms = 0;
};

struct TransactionResult {
  std::map<std::string, ChangeResult> changes{};  // by the primitive's id
  std::vector<CheckResult> checks{};              // the last answer of each
};
std::string keep_result(const TransactionResult& result);
/// Empty where nothing was kept.
TransactionResult kept_result(const std::string& json);

/// "done in 0.4 s", "failed: …", "not reached".
std::string outcome_text(const TransactionResult& result, const std::string& id);

}  // namespace holdfast
