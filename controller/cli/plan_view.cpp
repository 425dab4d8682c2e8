#include <controller/cli/plan_view.hpp>

#include <controller/cli/plan_words.hpp>

#include <algorithm>
#include <map>

namespace holdfast {

namespace {

ManifestView& manifest_of(PlanView& view, const Origin& origin) {
  const std::string resource = origin.resource.empty() ? "no longer in the manifests" : one_line(origin.resource);
  const std::string where = place_text(origin.position);
  for (ManifestView& manifest : view.manifests) {
    if (manifest.resource == resource && manifest.where == where) return manifest;
  }
  view.manifests.push_back({.resource = resource, .where = where});
  return view.manifests.back();
}

void count(PlanView& view, ChangeView::Sign sign) {
  if (sign == ChangeView::Sign::create) ++view.created;
  if (sign == ChangeView::Sign::change) ++view.changed;
  if (sign == ChangeView::Sign::remove) ++view.removed;
}

/// The manifests of what changes among the things that a unit loads.
std::string reason_of(const Plan& plan, const Action& unit) {
  std::vector<std::string> loads;
  for (const Step& step : unit.steps) {
    const auto found = step.arguments.find("loads");
    if (step.verb == "unit.loaded" && found != step.arguments.end()) loads = found->second.as_texts();
  }
  std::vector<std::string> names;
  for (const Action& action : plan.actions) {
    if (std::find(loads.begin(), loads.end(), to_text(action.id)) == loads.end()) continue;
    const std::string name = one_line(action.origin.resource.empty() ? to_text(action.id) : action.origin.resource);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  if (names.empty()) return "it runs with something older than what is on the host";
  return join_with_and(names) + (names.size() == 1 ? " changes" : " change");
}

void add_effects(PlanView& view, const Plan& plan, const Action& action) {
  const std::map<std::string, std::string> verbs = {
      {"unit.start", "starts"}, {"unit.stop", "stops"}, {"unit.restart", "restarts"}, {"unit.reload", "reloads"}};
  for (const Step& step : action.steps) {
    const auto verb = verbs.find(step.verb);
    if (verb == verbs.end()) continue;
    UnitEffect effect{.verb = verb->second, .unit = one_line(action.id.name)};
    if (effect.verb == "restarts" || effect.verb == "reloads") effect.because = reason_of(plan, action);
    view.effects.push_back(std::move(effect));
  }
}

std::string refusal_text(const Refusal& refusal) {
  std::string text = one_line(refusal.what);
  if (!refusal.hint.empty()) text += ": " + one_line(refusal.hint);
  const std::string where = place_text(refusal.origin.position);
  const std::string origin = one_line(refusal.origin.resource) + (where.empty() ? "" : " " + where);
  return origin.empty() ? text : text + " (" + origin + ")";
}

std::string count_text(std::size_t number, const char* what) { return std::to_string(number) + " to " + what; }

}  // namespace

std::string PlanView::counts() const {
  if (!error.empty()) return "no plan";
  if (!refusals.empty()) return "refused";
  if (manifests.empty()) return "nothing to do";
  return count_text(created, "create") + ", " + count_text(changed, "change") + ", " + count_text(removed, "remove");
}

PlanView view_of(const HostPlan& host) {
  PlanView view;
  view.error = one_line(host.error);
  if (!host.error.empty()) return view;
  for (const Action& action : host.plan.actions) {
    ChangeView change = change_view(host, action);
    count(view, change.sign);
    add_effects(view, host.plan, action);
    for (const std::string& why : action.irreversible) view.irreversible.push_back(change.id + ": " + one_line(why));
    manifest_of(view, action.origin).changes.push_back(std::move(change));
  }
  for (const Validator& validator : host.plan.validators)
    view.validators.push_back(with_short_ids(one_line(validator.name)));
  for (const Refusal& refusal : host.plan.refusals) view.refusals.push_back(refusal_text(refusal));
  for (const std::string& note : host.plan.notes) view.notes.push_back(with_short_ids(one_line(note)));
  return view;
}

std::vector<PlanGroup> group_plans(const std::vector<HostPlan>& hosts) {
  std::vector<PlanGroup> groups;
  for (const HostPlan& host : hosts) {
    PlanView view = view_of(host);
    const auto same =
        std::find_if(groups.begin(), groups.end(), [&](const PlanGroup& group) { return group.view == view; });
    if (same == groups.end()) {
      groups.push_back({{one_line(host.host)}, std::move(view)});
    } else {
      same->hosts.push_back(one_line(host.host));
    }
  }
  return groups;
}

}  // namespace holdfast
