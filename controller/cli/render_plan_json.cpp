#include <controller/cli/plan_view.hpp>
#include <controller/cli/plan_words.hpp>
#include <controller/cli/render_plan.hpp>
#include <manifests/json.hpp>

namespace holdfast {

namespace {

constexpr int record_version = 1;

const char* sign_word(ChangeView::Sign sign) {
  if (sign == ChangeView::Sign::create) return "create";
  return sign == ChangeView::Sign::remove ? "remove" : "change";
}

const char* content_word(ContentView::Kind kind) {
  if (kind == ContentView::Kind::text) return "text";
  return kind == ContentView::Kind::digests ? "digests" : "hidden";
}

Value content_record(const ContentView& content) {
  Map record{{"kind", content_word(content.kind)}, {"summary", content.summary}};
  if (content.kind == ContentView::Kind::text) {
    record["diff"] = content.diff;
    record["added"] = static_cast<std::int64_t>(content.added);
    record["removed"] = static_cast<std::int64_t>(content.removed);
  }
  return record;
}

Value change_record(const HostPlan& host, const Action& action) {
  const ChangeView view = change_view(host, action);
  Map record{{"change", sign_word(view.sign)},
             {"id", one_line(to_text(action.id))},
             {"resource", one_line(action.origin.resource)},
             {"file", one_line(action.origin.position.file)},
             {"line", action.origin.position.line},
             {"details", Value::texts(view.details)}};
  if (view.content.kind != ContentView::Kind::none) record["content"] = content_record(view.content);
  List irreversible;
  for (const std::string& why : action.irreversible) irreversible.emplace_back(one_line(why));
  record["irreversible"] = std::move(irreversible);
  return record;
}

Value host_record(const HostPlan& host) {
  const PlanView view = view_of(host);
  Map record{{"host", one_line(host.host)},
             {"environment", one_line(host.environment)},
             {"commit", one_line(host.commit)},
             {"nothing_to_do", view.nothing_to_do()}};
  if (!host.error.empty()) {
    record["error"] = view.error;
    return record;
  }
  List changes;
  for (const Action& action : host.plan.actions) changes.push_back(change_record(host, action));
  List effects;
  for (const UnitEffect& effect : view.effects) {
    effects.emplace_back(Map{{"effect", effect.verb}, {"unit", effect.unit}, {"because", effect.because}});
  }
  record["digest"] = one_line(host.plan.digest);
  record["bundle_digest"] = one_line(host.plan.bundle_digest);
  record["changes"] = std::move(changes);
  record["units"] = std::move(effects);
  record["validators"] = Value::texts(view.validators);
  record["refusals"] = Value::texts(view.refusals);
  record["notes"] = Value::texts(view.notes);
  return record;
}

}  // namespace

std::string render_plan_json(const std::vector<HostPlan>& hosts, const RenderOptions& /*options*/) {
  List records;
  for (const HostPlan& host : hosts) records.push_back(host_record(host));
  return to_pretty_json(Map{{"kind", "plan"}, {"version", record_version}, {"hosts", std::move(records)}}) + "\n";
}

}  // namespace holdfast
