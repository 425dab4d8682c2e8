#include <controller/plan/plan_view.hpp>

#include <controller/plan/plan_words.hpp>

#include <algorithm>

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

std::string refusal_text(const Refusal& refusal) {
  std::string text = one_line(refusal.what);
  if (!refusal.hint.empty()) text += ": " + one_line(refusal.hint);
  const std::string where = place_text(refusal.origin.position);
  const std::string origin = one_line(refusal.origin.resource) + (where.empty() ? "" : " " + where);
  return origin.empty() ? text : text + " (" + origin + ")";
}

BackupView backup_view(const PlannedBackup& backup) {
  const std::string where = place_text(backup.origin.position);
  return {.policy = one_line(backup.policy),
          .because = with_short_ids(one_line(to_text(backup.because))),
          .origin = one_line(backup.origin.resource) + (where.empty() ? "" : " " + where)};
}

std::string count_text(std::size_t number, const char* what) { return std::to_string(number) + " to " + what; }

void add_action(PlanView& view, const HostPlan& host, const Action& action) {
  ChangeView change = change_view(host, action);
  count(view, change.sign);
  std::ranges::move(effects_of(host, action), std::back_inserter(view.effects));
  for (const std::string& why : change.irreversible) view.irreversible.push_back(change.id + ": " + why);
  if (action.id.type == PrimitiveType::package && change.sign != ChangeView::Sign::create) {
    view.notes.push_back(change.id + ": its own scripts may restart its services, whatever is told here");
  }
  manifest_of(view, action.origin).changes.push_back(std::move(change));
}

/// What was measured is told once for hosts that are alike: the longest.
void merge_measured(PlanView& into, const PlanView& from) {
  for (std::size_t i = 0; i < into.effects.size(); ++i) {
    into.effects[i].down_ms = std::max(into.effects[i].down_ms, from.effects[i].down_ms);
  }
}

}  // namespace

bool UnitEffect::operator==(const UnitEffect& other) const {
  return verb == other.verb && unit == other.unit && because == other.because && causes == other.causes &&
         interruption == other.interruption && undone == other.undone;
}

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
  for (const PlannedBackup& backup : host.plan.backups) view.backups.push_back(backup_view(backup));
  for (const Action& action : host.plan.actions) add_action(view, host, action);
  for (const Validator& validator : host.plan.validators)
    view.validators.push_back(with_short_ids(one_line(validator.name)));
  if (view.has_changes()) {
    for (const std::string& check : host.checks) view.checks.push_back(one_line(check));
  }
  for (const Refusal& refusal : host.plan.refusals) view.refusals.push_back(refusal_text(refusal));
  for (const auto* notes : {&host.notes, &host.plan.notes}) {
    for (const std::string& note : *notes) view.notes.push_back(with_short_ids(one_line(note)));
  }
  return view;
}

std::string PlanGroup::name() const {
  std::string names;
  for (const std::string& host : hosts) names += (names.empty() ? "" : ", ") + host;
  return hosts.size() == 1 ? names : names + " (" + std::to_string(hosts.size()) + " hosts)";
}

std::vector<PlanGroup> group_plans(const std::vector<HostPlan>& hosts) {
  std::vector<PlanGroup> groups;
  for (const HostPlan& host : hosts) {
    PlanView view = view_of(host);
    const auto same = std::ranges::find_if(groups, [&](const PlanGroup& group) { return group.view == view; });
    if (same == groups.end()) {
      groups.push_back({{one_line(host.host)}, std::move(view)});
    } else {
      merge_measured(same->view, view);
      same->hosts.push_back(one_line(host.host));
    }
  }
  return groups;
}

}  // namespace holdfast
