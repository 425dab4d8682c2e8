#pragma once

#include <controller/health/health.hpp>
#include <controller/plan/kept_plan.hpp>
#include <controller/plan/plan_view.hpp>
#include <controller/rollout/progress.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// One transaction as it is told and kept: its plan in words, and what came of each change, from the host's events.
/// Pure: what is told is returned.
class Account {
 public:
  /// The plan that is about to be carried out.
  void begin(HostPlan plan);
  /// "1 to create, 2 to change, 0 to remove; restarts cvd.service"
  [[nodiscard]] std::string summary() const;
  /// What people should know before it starts: restarts with their interruption, what can't be undone.
  [[nodiscard]] std::vector<std::string> warnings() const;
  /// The plan's record for programs that follow along: counts and units.
  [[nodiscard]] Value record() const;

  struct Line {
    Progress::Level level = Progress::Level::change;
    std::string text{};
    Value record{};
  };
  /// Takes an event of the host in; the lines to tell of it, in the plan's own words.
  std::vector<Line> take(const Value& event);
  /// True from a rollback on: what is checked then is the old version.
  [[nodiscard]] bool is_undone() const { return undoing_; }
  /// A round of the health checks.
  void checked(const std::vector<Sample>& round);

  [[nodiscard]] const HostPlan& plan() const { return plan_; }
  [[nodiscard]] const TransactionResult& result() const { return result_; }
  /// How long restarts kept units from running, by unit.
  [[nodiscard]] std::map<std::string, std::int64_t> downs() const;

 private:
  Line line(const std::string& id, const ChangeResult& result) const;

  HostPlan plan_{};
  PlanView view_{};
  std::map<std::string, std::string> lines_{};  // by id, as the plan has them
  TransactionResult result_{};
  bool undoing_ = false;
};

}  // namespace holdfast
