#include <reconcilers/host/transaction_steps.hpp>

#include <reconcilers/host/dead_man.hpp>
#include <reconcilers/host/downtime.hpp>
#include <reconcilers/host/guards.hpp>
#include <reconcilers/host/observe.hpp>
#include <reconcilers/primitives/place.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/failpoint.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::chrono::seconds lock_patience{10};
constexpr std::size_t shown_values = 200;

bool is_live(PrimitiveType type) {
  return type == PrimitiveType::file || type == PrimitiveType::link || type == PrimitiveType::unit;
}

bool is_package(const Action& action) { return action.id.type == PrimitiveType::package; }

std::string shown(const Attributes& attributes, const std::string& key) {
  const auto found = attributes.find(key);
  if (found == attributes.end()) return "nothing";
  return key == "content" || key == "loaded" || key == "digest" ? "another"
                                                                : to_json(found->second).substr(0, shown_values);
}

/// What differs from what was wanted, as one phrase; empty where nothing does.
std::string difference(const Wanted& wanted, const Attributes& now) {
  const auto present = wanted.attributes.find("present");
  if (is_present(now) != is_present(wanted.attributes))
    return is_present(now) ? "it is still there" : "it is not there";
  if (present != wanted.attributes.end() && !is_present(wanted.attributes)) return "";
  for (const auto& [key, value] : wanted.attributes) {
    if (differs(now, wanted.attributes, key))
      return key + " is " + shown(now, key) + ", wanted " + shown(wanted.attributes, key);
  }
  return "";
}

}  // namespace

TransactionSteps::TransactionSteps(System& system, const State& state, const std::string& id)
    : system_(system), state_(state), id_(id), vault_(state) {}

bool TransactionSteps::begin() {
  const std::optional<std::string> text = read_state_file(state_.transaction_path(id_, "request.json"));
  if (!text) throw Error("there is no prepared transaction \"" + id_ + "\"");
  request_ = request_from(from_json(*text));
  lock_ = FileLock::take(state_.path("lock"), lock_patience);
  if (!read_transaction(state_, id_).state.empty()) return false;
  journal_.emplace(state_.transaction_path(id_, "journal"));
  events_.emplace(state_.transaction_path(id_, "events"));
  journal_->append(Map{{"record", "begin"},
                       {"request", to_value(request_)},
                       {"previous", state_.generation().text_or("transaction", "")},
                       {"at", timestamp(system_.now_ns())},
                       {"boot_id", current_boot_id()}});
  if (!lock_) return refuse("another runner is at work on this host");
  if (request_.epoch < state_.epoch()) {
    return refuse("the epoch " + std::to_string(request_.epoch) + " is over: a controller with the epoch " +
                  std::to_string(state_.epoch()) + " has taken over this host");
  }
  state_.raise_epoch(request_.epoch);
  const std::optional<std::string> open = state_.open_transaction();
  if (open && !is_at_end(read_transaction(state_, *open).state)) {
    return refuse("the transaction \"" + *open + "\" is still open: it has to be confirmed or rolled back first");
  }
  return true;
}

bool TransactionSteps::refuse(const std::string& what, const PrimitiveId& id) {
  return refuse(Failure{.id = id, .what = what});
}

bool TransactionSteps::refuse(const Failure& failure) {
  write_state("refused", {{"failure", to_value(failure)}});
  return false;
}

bool TransactionSteps::plan_again() {
  try {
    std::optional<Bundle> bundle = state_.bundle(request_.bundle_digest);
    if (!bundle) return refuse("the bundle of this transaction is not on the host");
    bundle_ = std::move(*bundle);
    make_secrets(system_, vault_, bundle_);
    make_plan_now();
    return refuse_plan(prepared_.plan);
  } catch (const Error& error) {
    return refuse(error.what());
  }
}

bool TransactionSteps::refuse_plan(const Plan& plan) {
  if (!plan.refusals.empty()) return refuse(to_text(plan.refusals.front().id) + ": " + plan.refusals.front().what);
  if (plan.digest != request_.plan_digest)
    return refuse(Failure{.what = "the host changed since the plan was made", .changed = true});
  if (!plan.missing.empty()) {
    return refuse("the host has not got all content: " + std::to_string(plan.missing.size()) + " pieces are missing");
  }
  return true;
}

void TransactionSteps::make_plan_now() {
  const Inventory inventory = state_.inventory();
  resolved_ = resolve(system_, vault_, bundle_);
  sight_ = look_at(system_, resolved_, inventory);
  prepared_ = make_plan(resolved_, sight_, inventory, system_.abilities(), request_.leave);
  prepared_.plan.missing = missing_contents(system_, vault_, prepared_, bundle_);
  const Pruning pruning = request_.allow_prune ? Pruning::allowed : Pruning::guarded;
  guard(system_, bundle_, inventory, state_.mounts(), pruning, prepared_);
  seal(prepared_.plan, request_.bundle_digest, pruning);
  next_ = 0;
}

void TransactionSteps::arm() {
  arm_dead_man(system_, state_, id_, request_.deadman_ms);
  HOLDFAST_FAILPOINT("transaction.armed");
}

void TransactionSteps::prepare() {
  events_->phase("apply");
  while (unfinished() && !is_live(prepared_.plan.actions[next_].id.type)) {
    const bool package = is_package(prepared_.plan.actions[next_]);
    run_action(next_++);
    if (package && !(unfinished() && is_package(prepared_.plan.actions[next_]))) plan_after_packages();
  }
}

/// Packages bring files and units of their own: what is left to do is planned again from what the host is like now.
void TransactionSteps::plan_after_packages() {
  verify();
  make_plan_now();
  const Plan& plan = prepared_.plan;
  if (!plan.refusals.empty()) throw StepFailed{failure_of(plan.refusals.front().id, plan.refusals.front().what)};
  if (!plan.missing.empty()) throw StepFailed{failure_of({}, "content is missing after the packages changed")};
  save_contents();
  save_extended();
  journal_->append(plan_record(prepared_));
}

/// What changes from here to the next packages, and who judges it.
Rehearsal TransactionSteps::next_rehearsal() const {
  Rehearsal rehearsal;
  const std::vector<Action>& actions = prepared_.plan.actions;
  for (std::size_t i = next_; i < actions.size() && !is_package(actions[i]); ++i)
    rehearsal.actions.push_back(actions[i]);
  for (const Validator& validator : prepared_.plan.validators) {
    const auto judged = [&](const Action& action) { return judges(validator, action.id); };
    if (std::ranges::any_of(rehearsal.actions, judged)) rehearsal.validators.push_back(validator);
  }
  return rehearsal;
}

void TransactionSteps::validate() {
  const Rehearsal rehearsal = next_rehearsal();
  if (rehearsal.validators.empty()) return;
  events_->phase("validate");
  check_still_ours();
  for (const Judgement& finding : rehearse(system_, state_, id_, rehearsal)) {
    events_->validator(finding.name, finding.ok, finding.output);
    if (!finding.ok)
      throw StepFailed{{.id = finding.id, .what = finding.name + " finds it wrong", .output = finding.output}};
  }
  events_->phase("apply");
}

void TransactionSteps::apply() {
  while (unfinished() && !is_package(prepared_.plan.actions[next_])) run_action(next_++);
}

void TransactionSteps::run_action(std::size_t index) {
  const Action& action = prepared_.plan.actions[index];
  const Wanted& wanted = prepared_.wanted[index];
  check_still_ours();
  events_->action(action.id, "begin");
  Map told;
  try {
    journal_->append(Map{{"record", "intent"}, {"id", to_text(action.id)}});
    HOLDFAST_FAILPOINT("action.begun");
    compare_before(action, wanted);
    told = run_steps(action, Settle::together);
    HOLDFAST_FAILPOINT("action.done");
    // The next synced record takes it along; without it, the undo looks for itself.
    journal_->append(Map{{"record", "done"}, {"id", to_text(action.id)}}, Durability::buffered);
  } catch (const Error& error) {
    events_->action(action.id, "failed", error.what());
    Failure failure = failure_of(action.id, error.what());
    failure.changed = dynamic_cast<const ChangedByOthers*>(&error) != nullptr;
    throw StepFailed{std::move(failure)};
  }
  done_.push_back(wanted);
  events_->action(action.id, "done", "", std::move(told));
}

Map TransactionSteps::run_steps(const Action& action, Settle settle) {
  const std::int64_t begun_us = monotonic_us();
  bool restarts = false;
  Effects effects{.system = system_,
                  .vault = vault_,
                  .tell = [&](std::string_view text) { events_->output(action.id, text); },
                  .from = &action.from};
  if (const auto saved = extended_.find(action.id); saved != extended_.end()) effects.extended = &saved->second;
  if (settle == Settle::together) {
    effects.started = [&](const std::string& unit) { started_.push_back({unit, std::chrono::steady_clock::now()}); };
  }
  for (const Step& step : action.steps) {
    const PrimitiveType type = primitive_type(step.verb.substr(0, step.verb.find('.')));
    primitive_kind(type).execute(effects, step);
    restarts = restarts || step.verb == "unit.restart";
  }
  Map told{{"took_ms", (monotonic_us() - begun_us) / 1000}};
  if (const auto down = restarts ? down_ms(system_, action.id.name, begun_us) : std::nullopt) told["down_ms"] = *down;
  return told;
}

/// Someone else's edit since the plan was made is never overwritten.
void TransactionSteps::compare_before(const Action& action, const Wanted& wanted) const {
  if (action.id.type != PrimitiveType::file && action.id.type != PrimitiveType::link) return;
  const Attributes now = observe(system_, {&wanted}).at(action.id);
  for (const char* key : {"present", "obstacle", "content", "target", "mode"}) {
    const auto is = now.find(key);
    const auto was = action.from.find(key);
    const bool same = is == now.end() || was == action.from.end() ? (is == now.end()) == (was == action.from.end())
                                                                  : is->second == was->second;
    if (!same) throw ChangedByOthers("someone changed it since the plan was made; it is left as it is, plan again");
  }
}

/// A controller that took over, or a rollback that was asked for, ends the way forward between two effects.
void TransactionSteps::check_still_ours() const {
  if (state_.epoch() > request_.epoch) throw StepFailed{failure_of({}, "another controller has taken over this host")};
  if (const auto reason = read_state_file(state_.transaction_path(id_, "abort"), 4096)) {
    throw StepFailed{failure_of({}, reason->empty() ? "a rollback was asked for" : *reason)};
  }
}

void TransactionSteps::see_started_settle() {
  try {
    require_settled(system_, started_);
  } catch (const UnitDied& died) {
    throw StepFailed{failure_of({PrimitiveType::unit, died.unit}, died.what)};
  }
  started_.clear();
}

void TransactionSteps::verify() {
  see_started_settle();
  std::vector<const Wanted*> wanted;
  for (const Wanted& one : done_) wanted.push_back(&one);
  const std::map<PrimitiveId, Attributes> now = observe(system_, wanted);
  for (const Wanted& one : done_) {
    const auto state = now.find(one.id);
    if (state == now.end()) continue;
    const std::string what = difference(one, state->second);
    if (!what.empty()) throw StepFailed{failure_of(one.id, "is not as wanted after the change: " + what)};
  }
}

void TransactionSteps::wait_for_confirmation() {
  HOLDFAST_FAILPOINT("transaction.verified");
  write_state("pending", {{"deadline_ms", boot_clock_ms() + request_.deadman_ms}, {"boot_id", current_boot_id()}});
}

void TransactionSteps::write_state(const std::string& state, Map more) {
  more["record"] = "state";
  more["state"] = state;
  more["at"] = timestamp(system_.now_ns());
  journal_->append(std::move(more));
}

}  // namespace holdfast
