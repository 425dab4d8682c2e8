#include <controller/cli/plan_record.hpp>

#include <controller/plan/plan_lines.hpp>
#include <controller/plan/plan_words.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr int record_version = 1;

const char* content_word(ContentView::Kind kind) {
  if (kind == ContentView::Kind::text) return "text";
  return kind == ContentView::Kind::digests ? "digests" : "hidden";
}

/// Of content that is not shown: the host's keyed digests, which tell whether it changes and nothing else.
std::string fingerprint(const Attributes& attributes) {
  const std::string content = one_line(Value(attributes).text_or("content", ""));
  return content.starts_with("hmac:") ? content : "";
}

Value content_record(const ContentView& content, const Action& action) {
  Map record{{"kind", content_word(content.kind)}, {"summary", content.summary}};
  if (content.kind == ContentView::Kind::text) {
    record["diff"] = content.diff;
    record["added"] = static_cast<std::int64_t>(content.added);
    record["removed"] = static_cast<std::int64_t>(content.removed);
  }
  if (content.kind == ContentView::Kind::hidden) {
    record["fingerprint"] = Map{{"from", fingerprint(action.from)}, {"to", fingerprint(action.to)}};
  }
  return record;
}

const char* status_of(const PlanView& view) {
  if (!view.error.empty()) return "error";
  if (!view.refusals.empty()) return "refused";
  return view.has_changes() ? "changes" : "nothing_to_do";
}

Value host_record(const HostPlan& host) {
  const PlanView view = view_of(host);
  Map record{{"host", one_line(host.host)}, {"status", status_of(view)}, {"counts", counts_record(view)}};
  if (!host.error.empty()) record["error"] = view.error;
  List changes;
  if (host.error.empty()) {
    for (const Action& action : host.plan.actions) changes.push_back(change_record(host, action));
  }
  record["digest"] = one_line(host.plan.digest);
  record["bundle_digest"] = one_line(host.plan.bundle_digest);
  List backups;
  for (const BackupView& one : view.backups) {
    backups.emplace_back(Map{{"policy", one.policy}, {"because", one.because}, {"origin", one.origin}});
  }
  record["backups"] = std::move(backups);
  record["changes"] = std::move(changes);
  record["units"] = units_record(view.effects);
  record["validators"] = Value::texts(view.validators);
  record["checks"] = Value::texts(view.checks);
  record["refusals"] = Value::texts(view.refusals);
  record["notes"] = Value::texts(view.notes);
  return record;
}

List groups_record(const std::vector<PlanGroup>& groups) {
  List list;
  for (const PlanGroup& group : groups) {
    list.emplace_back(Map{{"hosts", Value::texts(group.hosts)}, {"summary", summary_text(group.view)}});
  }
  return list;
}

}  // namespace

Value counts_record(const PlanView& view) {
  return Map{{"create", static_cast<std::int64_t>(view.created)},
             {"change", static_cast<std::int64_t>(view.changed)},
             {"remove", static_cast<std::int64_t>(view.removed)}};
}

Value units_record(const std::vector<UnitEffect>& effects) {
  List list;
  for (const UnitEffect& effect : effects) {
    Map record{{"unit", effect.unit},
               {"effect", effect.verb},
               {"because", effect.because},
               {"causes", Value::texts(effect.causes)},
               {"interruption", effect.interruption},
               {"undone", effect.undone}};
    if (effect.down_ms >= 0) record["expected_down_ms"] = effect.down_ms;
    list.emplace_back(std::move(record));
  }
  return list;
}

Value change_record(const HostPlan& host, const Action& action) {
  const ChangeView view = change_view(host, action);
  List attributes;
  for (const AttributeView& one : view.attributes) {
    attributes.emplace_back(Map{{"name", one.name}, {"from", one.from}, {"to", one.to}});
  }
  Map record{{"change", sign_word(view.sign)},
             {"id", one_line(to_text(action.id))},
             {"resource", one_line(action.origin.resource)},
             {"file", one_line(action.origin.position.file)},
             {"line", action.origin.position.line},
             {"details", Value::texts(view.details)},
             {"attributes", std::move(attributes)},
             {"commands", Value::texts(view.commands)},
             {"undo", view.undo},
             {"irreversible", Value::texts(view.irreversible)},
             {"why", Value::texts(view.why)}};
  if (view.content.kind != ContentView::Kind::none) record["content"] = content_record(view.content, action);
  return record;
}

Value plan_record(const EnvironmentPlan& plan) {
  const std::vector<PlanGroup> groups = group_plans(plan.hosts);
  List hosts;
  for (const HostPlan& host : plan.hosts) hosts.push_back(host_record(host));
  List problems;
  for (const std::string& problem : plan.problems) problems.emplace_back(problem);
  return Map{{"kind", "plan"},
             {"version", record_version},
             {"environment", one_line(plan.environment)},
             {"tracked", one_line(plan.tracked)},
             {"commit", Map{{"id", one_line(plan.commit)},
                            {"subject", one_line(plan.subject)},
                            {"author", one_line(plan.author)},
                            {"committed_s", plan.committed_s}}},
             {"refused", one_line(plan.refused)},
             {"problems", std::move(problems)},
             {"summary", groups.empty() ? "" : total_text(groups)},
             {"groups", groups_record(groups)},
             {"hosts", std::move(hosts)}};
}

}  // namespace holdfast
