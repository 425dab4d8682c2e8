#include <reconcilers/host/plan.hpp>

#include <manifests/error.hpp>

namespace holdfast {

namespace {

List to_list(const std::vector<Step>& steps) {
  List list;
  for (const Step& step : steps) list.push_back(to_value(step));
  return list;
}

std::vector<Step> steps_from(const Value& value) {
  std::vector<Step> steps;
  for (const Value& one : value.as_list()) steps.push_back(step_from(one));
  return steps;
}

Value to_value(const Refusal& refusal) {
  return Map{{"id", to_text(refusal.id)},
             {"what", refusal.what},
             {"hint", refusal.hint},
             {"origin", to_value(refusal.origin)}};
}

Refusal refusal_from(const Value& value) {
  return {.id = primitive_id(value.at("id").as_text()),
          .what = value.at("what").as_text(),
          .hint = value.text_or("hint", ""),
          .origin = origin_from(value.at("origin"))};
}

Value to_value(const PlannedBackup& backup) {
  return Map{{"policy", backup.policy}, {"because", to_text(backup.because)}, {"origin", to_value(backup.origin)}};
}

PlannedBackup planned_backup_from(const Value& value) {
  return {.policy = value.at("policy").as_text(),
          .because = primitive_id(value.at("because").as_text()),
          .origin = origin_from(value.at("origin"))};
}

}  // namespace

Value to_value(const Step& step) { return Map{{"verb", step.verb}, {"arguments", step.arguments}}; }

Step step_from(const Value& value) {
  return {.verb = value.at("verb").as_text(), .arguments = value.at("arguments").as_map()};
}

Value to_value(const Action& action) {
  return Map{{"kind", action.kind == ActionKind::prune ? "prune" : "change"},
             {"id", to_text(action.id)},
             {"from", action.from},
             {"to", action.to},
             {"steps", to_list(action.steps)},
             {"undo", to_list(action.undo)},
             {"irreversible", Value::texts(action.irreversible)},
             {"origin", to_value(action.origin)}};
}

Action action_from(const Value& value) {
  return {.kind = value.at("kind").as_text() == "prune" ? ActionKind::prune : ActionKind::change,
          .id = primitive_id(value.at("id").as_text()),
          .from = value.at("from").as_map(),
          .to = value.at("to").as_map(),
          .steps = steps_from(value.at("steps")),
          .undo = steps_from(value.at("undo")),
          .irreversible = value.at("irreversible").as_texts(),
          .origin = origin_from(value.at("origin"))};
}

Value to_value(const Plan& plan) {
  List actions;
  for (const Action& one : plan.actions) actions.push_back(to_value(one));
  List validators;
  for (const Validator& one : plan.validators) validators.push_back(to_value(one));
  List refusals;
  for (const Refusal& one : plan.refusals) refusals.push_back(to_value(one));
  List backups;
  for (const PlannedBackup& one : plan.backups) backups.push_back(to_value(one));
  return Map{{"digest", plan.digest},
             {"bundle_digest", plan.bundle_digest},
             {"actions", std::move(actions)},
             {"backups", std::move(backups)},
             {"validators", std::move(validators)},
             {"refusals", std::move(refusals)},
             {"notes", Value::texts(plan.notes)},
             {"missing", Value::texts(plan.missing)}};
}

Plan plan_from(const Value& value) {
  Plan plan;
  plan.digest = value.at("digest").as_text();
  plan.bundle_digest = value.at("bundle_digest").as_text();
  for (const Value& one : value.at("actions").as_list()) plan.actions.push_back(action_from(one));
  if (const Value* backups = value.find("backups")) {
    for (const Value& one : backups->as_list()) plan.backups.push_back(planned_backup_from(one));
  }
  for (const Value& one : value.at("validators").as_list()) plan.validators.push_back(validator_from(one));
  for (const Value& one : value.at("refusals").as_list()) plan.refusals.push_back(refusal_from(one));
  plan.notes = value.at("notes").as_texts();
  plan.missing = value.at("missing").as_texts();
  return plan;
}

}  // namespace holdfast
