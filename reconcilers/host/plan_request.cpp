#include <reconcilers/host/requests.hpp>

#include <reconcilers/host/guards.hpp>
#include <reconcilers/host/observe.hpp>
#include <reconcilers/host/state_files.hpp>
#include <reconcilers/host/transaction_record.hpp>
#include <reconcilers/primitives/place.hpp>
#include <reconcilers/primitives/secrets.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t bundles_in_memory = 4;
constexpr std::size_t max_shown_bytes = 256U << 10U;
constexpr std::size_t max_shown_total = 16U << 20U;
constexpr std::size_t max_plan_bytes = max_frame_bytes - 4096;

bool may_be_shown(const Wanted& wanted) {
  const Value parameters = wanted.parameters;
  return !parameters.bool_or("sensitive", false) && parameters.find("secrets") == nullptr;
}

std::string digest_at(const Attributes& attributes) {
  const auto content = attributes.find("content");
  return content == attributes.end() ? "" : content->second.as_text();
}

/// What a release consists of is known to whoever asked; only its digest matters in a plan.
Step without_bulk(Step step) {
  step.arguments.erase("entries");
  return step;
}

/// The plan as it may leave the host.
Plan disclosed(const System& system, const PreparedPlan& prepared) {
  const std::string key = disclosure_key(system);
  Plan plan = prepared.plan;
  for (std::size_t i = 0; i < plan.actions.size(); ++i) {
    Action& action = plan.actions[i];
    const Wanted& wanted = prepared.wanted[i];
    action.from = disclose(wanted, action.from, key);
    action.to = disclose(wanted, action.to, key);
    for (Step& step : action.steps) step = without_bulk(disclose(wanted, step, key));
    for (Step& step : action.undo) step = without_bulk(disclose(wanted, step, key));
  }
  return plan;
}

Value plan_message(Plan plan) {
  Value message = to_value(plan);
  if (to_json(message).size() <= max_plan_bytes) return message;
  for (Action& action : plan.actions) {
    action.steps.clear();
    action.undo.clear();
  }
  plan.notes.emplace_back("the plan is too large to tell its single steps");
  return to_value(plan);
}

}  // namespace

std::shared_ptr<const Requests::Kept> Requests::remember(std::string digest, Bundle bundle) {
  kept_.push_front(std::make_shared<const Kept>(Kept{.digest = std::move(digest), .bundle = std::move(bundle)}));
  if (kept_.size() > bundles_in_memory) kept_.pop_back();
  return kept_.front();
}

std::shared_ptr<const Requests::Kept> Requests::bundle_of(const Value& request) {
  if (const Value* digest = request.find("bundle_digest")) {
    const auto known = std::ranges::find_if(kept_, [&](const auto& one) { return one->digest == digest->as_text(); });
    if (known != kept_.end()) return *known;
    std::optional<Bundle> bundle = state_.bundle(digest->as_text());
    return bundle ? remember(digest->as_text(), std::move(*bundle)) : nullptr;
  }
  Bundle bundle;
  if (const Value* blob = request.find("bundle_blob")) {
    if (!vault_.has(blob->as_text())) throw Error("the blob of the bundle is not on the host");
    const std::string path = state_.path("vault/" + blob->as_text());
    bundle = bundle_from(from_json(read_state_file(path).value_or("")));
    remove_state_file(path);
  } else {
    bundle = bundle_from(request.at("bundle"));
  }
  std::string digest = digest_of(bundle);
  if (!state_.bundle(digest)) state_.keep_bundle(digest, bundle);
  return remember(std::move(digest), std::move(bundle));
}

Value Requests::plan(const Value& request) {
  const std::shared_ptr<const Kept> kept = bundle_of(request);
  if (!kept) return Map{{"need", "bundle"}, {"open", open()}};
  // Before the rest: what it closes is not open any more.
  Value owner = claim(request);
  Value answers = asked(request, owner.is_null());
  const Inventory inventory = state_.inventory();
  const Bundle resolved = resolve(system_, vault_, kept->bundle);
  PreparedPlan prepared =
      make_plan(resolved, look_at(system_, resolved, inventory), inventory, system_.abilities(), leave_of(request));
  prepared.plan.missing = missing_contents(system_, vault_, prepared, kept->bundle);
  const Pruning pruning = request.bool_or("allow_prune", false) ? Pruning::allowed : Pruning::guarded;
  guard(system_, kept->bundle, inventory, state_.mounts(), pruning, prepared);
  seal(prepared.plan, kept->digest, pruning);
  if (request.bool_or("show", false)) send_old_contents(prepared);
  return Map{{"plan", plan_message(disclosed(system_, prepared))},
             {"open", open()},
             {"asked", std::move(answers)},
             {"owner", std::move(owner)},
             {"epoch", state_.epoch()},
             {"backups", standings()}};
}

void Requests::send_old_contents(const PreparedPlan& prepared) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < prepared.plan.actions.size(); ++i) {
    const Action& action = prepared.plan.actions[i];
    const std::string digest = digest_at(action.from);
    if (action.id.type != PrimitiveType::file || digest.empty() || digest == digest_at(action.to)) continue;
    if (!may_be_shown(prepared.wanted[i])) continue;
    const std::optional<FileStat> stat = system_.stat(action.id.name);
    if (!stat || stat->size > max_shown_bytes || total + stat->size > max_shown_total) continue;
    const std::optional<std::string> bytes = system_.read(action.id.name, max_shown_bytes);
    if (!bytes || bytes->find('\0') != std::string::npos || sha256(*bytes) != digest) continue;
    channel_.send_blob(digest, *bytes);
    total += bytes->size();
  }
}

}  // namespace holdfast
