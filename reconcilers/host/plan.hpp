#pragma once

#include <reconcilers/primitives/primitive_kind.hpp>

#include <string>
#include <vector>

namespace holdfast {

enum class ActionKind { change, prune };

/// One primitive's way from what it is to what it should be.
struct Action {
  ActionKind kind = ActionKind::change;
  PrimitiveId id{};
  Attributes from{};
  Attributes to{};
  std::vector<Step> steps{};
  std::vector<Step> undo{};                 // = steps(to, from), known before anything runs
  std::vector<std::string> irreversible{};  // why the undo would not restore all of it
  Origin origin{};
};

/// Something that stops the plan before any effect: a directory where a file should be, a missing bit of the machine.
struct Refusal {
  PrimitiveId id{};
  std::string what{};
  std::string hint{};
  Origin origin{};
};

/// A backup that is taken and verified before anything changes; without it nothing does.
struct PlannedBackup {
  std::string policy{};
  PrimitiveId because{};  // the first change that asks for it
  Origin origin{};        // of the policy
};

/// What would happen on one host, in order. The digest binds an apply to what was shown.
struct Plan {
  std::string digest{};  // of the bundle and of everything observed that decides
  std::string bundle_digest{};
  std::vector<Action> actions{};
  std::vector<PlannedBackup> backups{};
  std::vector<Validator> validators{};  // those that planned changes touch
  std::vector<Refusal> refusals{};      // not empty: nothing will be applied
  std::vector<std::string> notes{};     // "units are not managed here: below the prefix /tmp/x"
  std::vector<std::string> missing{};   // digests that the host needs from the controller before it can apply
  [[nodiscard]] bool nothing_to_do() const { return actions.empty() && refusals.empty(); }
};

Value to_value(const Plan& plan);
Plan plan_from(const Value& value);
Value to_value(const Action& action);
Action action_from(const Value& value);

}  // namespace holdfast
