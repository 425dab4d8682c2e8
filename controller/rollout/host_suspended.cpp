// What a host's turn comes to that a person took out of our hands: looked at, told, and left as it is.
#include <controller/rollout/host_steps.hpp>

#include <manifests/problem.hpp>

namespace holdfast {

namespace {

constexpr std::size_t most_named = 5;

/// "file:/etc/motd, unit:nginx.service and 3 more".
std::string ids_of(const Plan& plan) {
  std::string text;
  std::size_t named = 0;
  for (const Action& action : plan.actions) {
    if (named == most_named) break;
    text += (named++ == 0 ? "" : ", ") + to_text(action.id);
  }
  for (const Refusal& refusal : plan.refusals) {
    if (named == most_named) break;
    text += (named++ == 0 ? "" : ", ") + to_text(refusal.id) + " (" + refusal.what + ")";
  }
  const std::size_t all = plan.actions.size() + plan.refusals.size();
  return all > named ? text + " and " + std::to_string(all - named) + " more" : text;
}

}  // namespace

std::optional<HostReport> HostSteps::suspended(const PlanReply& reply) {
  const std::string why = job_.suspended ? job_.suspended() : "";
  if (why.empty()) return std::nullopt;
  std::string detail = why;
  const bool differs = !reply.plan.nothing_to_do();
  if (differs && job_.commit.id == record_.live_commit) {
    detail += "; drift is left as it is: " + ids_of(reply.plan);
  }
  if (record_.desired_commit != record_.live_commit && (differs || job_.commit.id != record_.desired_commit)) {
    detail += "; commit " + record_.desired_commit.substr(0, 12) + " waits";
  }
  detail = printable(detail);
  if (stored_.state != "suspended" || stored_.detail != detail) tell(Progress::Level::warning, detail);
  return report(HostResult::suspended, "suspended", detail);
}

}  // namespace holdfast
