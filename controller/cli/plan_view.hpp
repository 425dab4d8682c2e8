#pragma once

#include <controller/cli/render_plan.hpp>

#include <string>
#include <utility>
#include <vector>

namespace holdfast {

/// How a file's bytes change, ready to be shown.
struct ContentView {
  enum class Kind { none, text, digests, hidden };
  Kind kind = Kind::none;
  std::string summary{};  // "+3 -1", "12 KiB sha256 ab12… -> …", "content changes (not shown)"
  std::string diff{};     // unified hunks, printable
  std::size_t added = 0;
  std::size_t removed = 0;
  friend bool operator==(const ContentView&, const ContentView&) = default;
};

/// One primitive's change in words. All texts are printable and of one line, but for the diff.
struct ChangeView {
  enum class Sign { create, change, remove };
  Sign sign = Sign::change;
  std::string id{};
  std::vector<std::string> details{};  // "mode 0600 -> 0644"
  ContentView content{};
  friend bool operator==(const ChangeView&, const ChangeView&) = default;
};

/// The changes that one manifest asks for, in the plan's order.
struct ManifestView {
  std::string resource{};
  std::string where{};  // file:line
  std::vector<ChangeView> changes{};
  friend bool operator==(const ManifestView&, const ManifestView&) = default;
};

struct UnitEffect {
  std::string verb{};  // "starts", "stops", "restarts", "reloads"
  std::string unit{};
  std::string because{};  // "EnvFile/cvd and Release/cvd change"; may be empty
  friend bool operator==(const UnitEffect&, const UnitEffect&) = default;
};

/// One host's plan as people read it; hosts with equal views are shown once.
struct PlanView {
  std::string error{};
  std::vector<ManifestView> manifests{};
  std::vector<UnitEffect> effects{};
  std::vector<std::string> validators{};
  std::vector<std::string> irreversible{};
  std::vector<std::string> refusals{};
  std::vector<std::string> notes{};
  std::size_t created = 0;
  std::size_t changed = 0;
  std::size_t removed = 0;
  friend bool operator==(const PlanView&, const PlanView&) = default;

  [[nodiscard]] bool nothing_to_do() const { return manifests.empty() && refusals.empty() && error.empty(); }
  /// "1 to create, 2 to change, 0 to remove", or "nothing to do".
  [[nodiscard]] std::string counts() const;
};

PlanView view_of(const HostPlan& host);
ChangeView change_view(const HostPlan& host, const Action& action);

struct PlanGroup {
  std::vector<std::string> hosts{};
  PlanView view{};
};
/// Hosts with equal plans together, in the order of the first of each.
std::vector<PlanGroup> group_plans(const std::vector<HostPlan>& hosts);

}  // namespace holdfast
