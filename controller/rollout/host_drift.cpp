// Drift that the policy leaves as it is: found, told once, and kept out of what is put right.
#include <controller/rollout/host_steps.hpp>

#include <algorithm>
#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t most_left = 900;  // a host refuses to be told of more
constexpr std::size_t most_named = 5;

}  // namespace

/// What is put right beside it is planned again without it, so that nothing restarts for its sake.
PlanReply HostSteps::leave_drift(PlanReply reply) {
  drifted_.clear();
  if (!is_repair() || job_.drift.heals_all()) return reply;
  constexpr int most_plans = 3;
  for (int i = 0; i < most_plans; ++i) {
    const std::size_t before = drifted_.size();
    const auto is_left = [this](const auto& one) {
      if (job_.drift.heals(one.origin.resource)) return false;
      drifted_.push_back(to_text(one.id));
      return true;
    };
    std::erase_if(reply.plan.actions, is_left);
    std::erase_if(reply.plan.refusals, is_left);
    const bool more = drifted_.size() > before;
    if (!more || reply.plan.nothing_to_do()) break;
    if (drifted_.size() > most_left) {  // so much is no accident of one resource: a person has to see it first
      reply.plan.actions.clear();
      break;
    }
    reply = plan();
  }
  tell_drift();
  return reply;
}

std::string HostSteps::drift_text() const {
  std::string text = "differs from what was verified: ";
  for (std::size_t i = 0; i < std::min(drifted_.size(), most_named); ++i) text += (i == 0 ? "" : ", ") + drifted_[i];
  if (drifted_.size() > most_named) text += " and " + std::to_string(drifted_.size() - most_named) + " more";
  return text + "; left as it is by the policy (drift.selfHeal): the next commit sets it, or `holdfast apply " +
         job_.environment + " --repair`";
}

void HostSteps::tell_drift() {
  std::ranges::sort(drifted_);
  if (drifted_.empty() || (stored_.state == "drifted" && stored_.detail == printable(drift_text()))) return;
  if (job_.standing && stored_.detail.find(printable(drift_text())) != std::string::npos) return;
  tell(Progress::Level::warning, "drifted: " + drift_text());
}

}  // namespace holdfast
