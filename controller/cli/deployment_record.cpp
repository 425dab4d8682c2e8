#include <controller/cli/deployment_record.hpp>

#include <controller/cli/plan_record.hpp>
#include <controller/plan/plan_lines.hpp>

namespace holdfast {

Value deployment_record(const Deployment& d, const PlanView& view) {
  Value record;
  record["id"] = d.id;
  record["environment"] = d.environment;
  record["host"] = d.host;
  record["transaction"] = d.transaction;
  record["commit"] = d.commit;
  record["from_commit"] = d.from_commit;
  record["subject"] = d.subject;
  record["author"] = d.author;
  record["cause"] = d.cause;
  record["requested_by"] = d.requested_by;
  record["outcome"] = std::string(to_text(d.outcome));
  record["reason"] = d.reason;
  record["begun_ms"] = d.begun_ms;
  record["ended_ms"] = d.ended_ms;
  record["counts"] = counts_record(view);
  record["units"] = units_record(view.effects);
  record["summary"] = changes_text(d, view);
  return record;
}

std::string changes_text(const Deployment& deployment, const PlanView& view) {
  const bool lasts = deployment.outcome == Outcome::deployed || deployment.outcome == Outcome::repaired;
  return lasts ? done_text(view) : summary_text(view);
}

Style look_style(std::string_view word) {
  if (word == "converged" || word == "deployed" || word == "repaired") return Style::good;
  if (word == "contended" || word == "drifted" || word == "disturbed" || word == "deploying" || word == "observing" ||
      word == "waiting" || word == "degraded" || word == "unknown" || word == "new" || word == "running")
    return Style::warning;
  return Style::bad;
}

}  // namespace holdfast
