#include <controller/cli/deployment_record.hpp>

#include <controller/cli/plan_record.hpp>
#include <controller/plan/plan_lines.hpp>
#include <controller/plan/plan_words.hpp>

namespace holdfast {

namespace {

constexpr int record_version = 1;

Value outcome_record(const TransactionResult& result, const std::string& id) {
  const auto found = result.changes.find(id);
  if (found == result.changes.end()) return Map{{"state", "not reached"}};
  Map record{{"state", found->second.state}};
  if (found->second.took_ms >= 0) record["took_ms"] = found->second.took_ms;
  if (found->second.down_ms >= 0) record["down_ms"] = found->second.down_ms;
  if (!found->second.detail.empty()) record["detail"] = found->second.detail;
  return record;
}

}  // namespace

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

ShownDeployment read_deployment(Store& store, const Deployment& facts) {
  ShownDeployment shown{.facts = facts, .plan = kept_plan(facts.plan), .result = kept_result(facts.result)};
  shown.plan.host = facts.host;
  shown.plan.environment = facts.environment;
  shown.plan.commit = facts.commit;
  shown.events = store.events(facts.id);
  const bool told = !facts.result.empty();
  for (const Action& action : shown.plan.plan.actions) {
    const std::string id = to_text(action.id);
    if (told) shown.plan.outcomes[id] = outcome_text(shown.result, id);
  }
  return shown;
}

Value record_of(const ShownDeployment& shown) {
  Value record = deployment_record(shown.facts, view_of(shown.plan));
  record["kind"] = "deployment";
  record["version"] = record_version;
  List changes;
  for (const Action& action : shown.plan.plan.actions) {
    Value change = change_record(shown.plan, action);
    if (!shown.facts.result.empty()) change["outcome"] = outcome_record(shown.result, to_text(action.id));
    changes.push_back(std::move(change));
  }
  record["changes"] = std::move(changes);
  List checks;
  for (const CheckResult& one : shown.result.checks) {
    checks.emplace_back(
        Map{{"name", one.name}, {"passed", one.passed}, {"detail", one.detail}, {"took_ms", one.took_ms}});
  }
  record["checks"] = std::move(checks);
  List changed_by;
  for (const ChangeTrace& one : shown.plan.changed_by) {
    changed_by.emplace_back(Map{{"id", one.id}, {"at_ms", one.at_ms}, {"by", one.by}, {"known", one.known}});
  }
  record["changed_by"] = std::move(changed_by);
  List events;
  for (const DeploymentEvent& one : shown.events) events.emplace_back(Map{{"at_ms", one.at_ms}, {"text", one.text}});
  record["events"] = std::move(events);
  return record;
}

Value deployment_details(Store& store, const Deployment& deployment) {
  return record_of(read_deployment(store, deployment));
}

std::string changes_text(const Deployment& deployment, const PlanView& view) {
  const bool lasts = deployment.outcome == Outcome::deployed || deployment.outcome == Outcome::repaired;
  return lasts ? done_text(view) : summary_text(view);
}

Style look_style(std::string_view word) {
  if (word == "converged" || word == "deployed" || word == "repaired") return Style::good;
  if (word == "contended" || word == "drifted" || word == "disturbed" || word == "deploying" || word == "observing" ||
      word == "waiting" || word == "suspended" || word == "degraded" || word == "unknown" || word == "new" ||
      word == "running")
    return Style::warning;
  return Style::bad;
}

}  // namespace holdfast
