#include <reconcilers/host/transaction_steps.hpp>

#include <reconcilers/failpoint.hpp>
#include <reconcilers/host/observe.hpp>
#include <reconcilers/host/reserve.hpp>
#include <reconcilers/primitives/place.hpp>

namespace holdfast {

// What an undo will need, on the disk before the first effect.

bool TransactionSteps::save_undo() {
  events_->phase("stage");
  try {
    remember_running(system_, prepared_, sight_);
    save_contents();
    save_extended();
    reserve_space();
    journal_->append(plan_record(prepared_));
    HOLDFAST_FAILPOINT("transaction.planned");
    state_.set_open_transaction(id_);
    HOLDFAST_FAILPOINT("transaction.opened");
    return true;
  } catch (const Error& error) {
    release_space(read_transaction(state_, id_).reserved);
    Failure failure = failure_of(stands_in_way_, error.what());
    failure.changed = dynamic_cast<const ChangedByOthers*>(&error) != nullptr;
    refuse(failure);
    state_.clear_open_transaction();
    return false;
  }
}

void TransactionSteps::save_contents() {
  for (const Action& action : prepared_.plan.actions) {
    if (action.id.type != PrimitiveType::file || !is_present(action.from)) continue;
    const bool loses = !is_present(action.to) || differs(action.from, action.to, "content");
    if (!loses) continue;
    vault_.save(system_, action.id.name, action.from.at("content").as_text());
    HOLDFAST_FAILPOINT("undo.saved");
  }
}

void TransactionSteps::save_extended() {
  for (const Action& action : prepared_.plan.actions) {
    const bool has_some = action.id.type == PrimitiveType::file || action.id.type == PrimitiveType::directory;
    if (!has_some || !is_present(action.from)) continue;
    const ExtendedAttributes found = system_.extended(action.id.name);
    if (!found.empty()) journal_->append(extended_record(action.id, found), Durability::buffered);  // synced by the plan
  }
}

/// Written down first: whoever undoes this has to find what holds the space.
void TransactionSteps::reserve_space() {
  const std::vector<Reserve> reserves = reserves_for(system_, id_, prepared_.plan.actions);
  std::vector<std::string> paths;
  for (const Reserve& one : reserves) paths.push_back(one.path);
  const bool elsewhere = paths.size() > 1;  // what lies beside the journal goes with it
  journal_->append(Map{{"record", "reserved"}, {"paths", Value::texts(paths)}},
                   elsewhere ? Durability::synced : Durability::buffered);
  for (const Reserve& one : reserves) {
    stands_in_way_ = one.because;
    system_.reserve(one.path, one.bytes);
    HOLDFAST_FAILPOINT("undo.reserved");
  }
  stands_in_way_ = {};
}

void TransactionSteps::release_space(const std::vector<std::string>& reserved) {
  for (const std::string& path : reserved) system_.remove_file(path);
}

}  // namespace holdfast
