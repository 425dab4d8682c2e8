#pragma once

#include <reconcilers/host/inventory.hpp>
#include <reconcilers/host/plan.hpp>
#include <reconcilers/host/system.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast {

/// What was seen of a host: everything that a plan is made of besides the bundle.
struct Sight {
  std::map<PrimitiveId, Attributes> states{};
  std::map<std::string, std::vector<std::string>> listings{};  // names in directories that may be pruned
};

/// A plan, and for each of its actions the wanted state behind it: parameters and order, for undo and verification.
struct PreparedPlan {
  Plan plan{};
  std::vector<Wanted> wanted{};  // as many as plan.actions, in their order
};

/// The pure heart of the runner: what has to happen so that what was seen becomes what the bundle says. The bundle is
/// resolved already (no secret's placeholder in it). One package step does for all packages, in the first package's
/// action; one daemon-reload does for all unit files before the units that need it. plan.missing stays empty.
/// Throws Error where primitives need each other in a circle.
/// What is named in `leave` stays as it is, with a note: somebody else goes on changing it.
PreparedPlan make_plan(const Bundle& bundle, const Sight& sight, const Inventory& inventory, const Abilities& abilities,
                       const std::set<PrimitiveId>& leave = {});

/// Whether a plan may remove much of what is managed: a person said so for this one time.
enum class Pruning { guarded, allowed };

/// Fills in the digests of a plan: it stands for the bundle, all that was observed and decides, and that word.
void seal(Plan& plan, const std::string& bundle_digest, Pruning pruning = Pruning::guarded);

/// A way from one state to another, for primitives that are already known: the undo of a transaction is one.
struct Move {
  Wanted wanted{};
  Attributes from{};
  Attributes to{};
  ActionKind kind = ActionKind::change;
};
/// Moves that change something, as ordered actions with their steps.
PreparedPlan plan_moves(std::vector<Move> moves, const Abilities& abilities);

/// True where a change of that path is for the validator to judge.
bool judges(const Validator& validator, const PrimitiveId& changed);

/// Whether primitives of that type can be observed and changed on this machine.
bool is_manageable(PrimitiveType type, const Abilities& abilities);

/// True where `path` holds unit files or drop-ins, which systemd must be told of.
bool is_unit_folder(const std::string& path);

}  // namespace holdfast
