// The stage of a transaction that saves data before anything changes.
#include <reconcilers/host/transaction_steps.hpp>

#include <reconcilers/backup/policy.hpp>
#include <reconcilers/host/backup_command.hpp>
#include <reconcilers/host/before_deploy.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

namespace holdfast {

namespace {

std::string told(const Value& result) {
  const Value* record = result.find("record");
  if (record == nullptr) return result.text_or("note", "");
  return "taken: " + record->at("id").as_text() + ", verified by " + record->at("verification").text_or("how", "");
}

}  // namespace

bool TransactionSteps::back_up() {
  if (prepared_.plan.backups.empty()) return true;
  state_.set_open_transaction(id_);  // it may take long: whoever finds it left undone knows of it
  events_->phase("backup");
  for (const PlannedBackup& one : prepared_.plan.backups) {
    const std::string fault = take_backup(one);
    if (fault.empty()) continue;
    events_->backup(one.policy, "failed: " + fault);
    const bool refused = refuse("backup \"" + one.policy + "\" could not be taken, and nothing was changed: " + fault,
                                {PrimitiveType::file, backup_policy_path(one.policy)});
    state_.clear_open_transaction();
    return refused;
  }
  const bool as_planned = plan_again();  // the world went on meanwhile
  if (!as_planned) state_.clear_open_transaction();
  return as_planned;
}

/// Why there is no verified backup now; empty where there is.
std::string TransactionSteps::take_backup(const PlannedBackup& planned) {
  try {
    check_still_ours();
    const Value* written = bundled_policy(bundle_, planned.policy);
    if (written == nullptr) return "the policy is not in the bundle";
    const BackupPolicy policy = backup_policy_from(*written);
    const std::string file = state_.transaction_path(id_, "backup-" + policy.name + ".json");
    write_state_file(file, to_json(to_value(policy)));
    const Value result = run_backup_command(
        system_, {"run", policy.name, "--reason", "before-deploy", "--transaction", id_, "--policy", file},
        2 * std::chrono::milliseconds(policy.timeout_ms),
        [&](const Value& event) { events_->backup(planned.policy, event.text_or("text", "")); });
    if (!result.bool_or("ok", false)) return result.text_or("error", "it failed");
    events_->backup(planned.policy, told(result));
    return {};
  } catch (const StepFailed& failed) {
    return failed.failure.what;
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace holdfast
