#pragma once

#include <controller/plan/host_plan.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// What a change does to one attribute, in words: "mode", "0600", "0644".
struct AttributeView {
  std::string name{};
  std::string from{};  // "none" where it was not there
  std::string to{};
  friend bool operator==(const AttributeView&, const AttributeView&) = default;
};

/// One primitive's change in words. All texts are printable and of one line, but for the diff.
struct ChangeView {
  enum class Sign { create, change, remove };
  Sign sign = Sign::change;
  std::string id{};
  std::vector<std::string> details{};  // "mode 0600 -> 0644"
  std::vector<AttributeView> attributes{};
  std::vector<std::string> commands{};  // that run on the host: build steps, declared commands
  ContentView content{};
  std::string undo{};                       // "puts content and mode back"; empty where nothing is undone
  std::vector<std::string> irreversible{};  // why the undo would not restore all of it
  std::vector<std::string> why{};           // reasons, where they were asked for
  std::string outcome{};                    // "done in 0.4 s"; empty in a plan
  friend bool operator==(const ChangeView&, const ChangeView&) = default;
};

/// The changes that one manifest asks for, in the plan's order.
struct ManifestView {
  std::string resource{};
  std::string where{};  // file:line
  std::vector<ChangeView> changes{};
  friend bool operator==(const ManifestView&, const ManifestView&) = default;
};

/// What a unit goes through, and what its users notice.
struct UnitEffect {
  std::string verb{};  // "starts", "stops", "restarts", "reloads"
  std::string unit{};
  std::string because{};              // "EnvFile/cvd and Release/cvd change"; may be empty
  std::vector<std::string> causes{};  // the primitives that change, of `because`
  std::string interruption{};         // in words, without a measured time
  std::int64_t down_ms = -1;          // what its last restart took, the longest of the group; -1: never measured
  std::string undone{};               // the verb of the undo; empty: none
  [[nodiscard]] bool operator==(const UnitEffect& other) const;  // but for what was measured
};

/// A backup that is taken and verified before anything changes.
struct BackupView {
  std::string policy{};
  std::string because{};  // the first change that asks for it
  std::string origin{};   // "BackupPolicy/ledger deploy/app.yaml:30"
  friend bool operator==(const BackupView&, const BackupView&) = default;
};

/// One host's plan as people read it; hosts with equal views are shown once.
struct PlanView {
  std::string error{};
  std::vector<BackupView> backups{};
  std::vector<ManifestView> manifests{};
  std::vector<UnitEffect> effects{};
  std::vector<std::string> validators{};
  std::vector<std::string> checks{};
  std::vector<std::string> irreversible{};
  std::vector<std::string> refusals{};
  std::vector<std::string> notes{};
  std::size_t created = 0;
  std::size_t changed = 0;
  std::size_t removed = 0;
  friend bool operator==(const PlanView&, const PlanView&) = default;

  [[nodiscard]] bool has_changes() const { return !manifests.empty(); }
  [[nodiscard]] bool nothing_to_do() const { return manifests.empty() && refusals.empty() && error.empty(); }
  /// "1 to create, 2 to change, 0 to remove", or "nothing to do".
  [[nodiscard]] std::string counts() const;
};

PlanView view_of(const HostPlan& host);
ChangeView change_view(const HostPlan& host, const Action& action);
/// What units go through when an action's steps run; `because` of restarts and reloads from the rest of the plan.
std::vector<UnitEffect> effects_of(const HostPlan& host, const Action& action);

struct PlanGroup {
  std::vector<std::string> hosts{};
  PlanView view{};
  /// "web1, web2 (2 hosts)"
  [[nodiscard]] std::string name() const;
};
/// Hosts with equal plans together, in the order of the first of each.
std::vector<PlanGroup> group_plans(const std::vector<HostPlan>& hosts);

}  // namespace holdfast
