#include <controller/plan/kept_plan.hpp>

#include <controller/plan/content_view.hpp>
#include <controller/plan/plan_words.hpp>
#include <controller/plan/times.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

namespace holdfast {

namespace {

constexpr int kept_version = 2;
constexpr std::size_t most_diff_bytes = 512U << 10U;

Value to_value(const ContentView& view) {
  return Map{{"kind", static_cast<int>(view.kind)},
             {"summary", view.summary},
             {"diff", view.diff},
             {"added", static_cast<std::int64_t>(view.added)},
             {"removed", static_cast<std::int64_t>(view.removed)}};
}

ContentView content_from(const Value& value) {
  const std::int64_t kind = value.int_or("kind", 0);
  ContentView view{.kind = kind < 0 || kind > 3 ? ContentView::Kind::none : static_cast<ContentView::Kind>(kind)};
  view.summary = value.text_or("summary", "");
  view.diff = value.text_or("diff", "");
  view.added = static_cast<std::size_t>(value.int_or("added", 0));
  view.removed = static_cast<std::size_t>(value.int_or("removed", 0));
  return view;
}

Map contents_of(const HostPlan& plan) {
  Map contents;
  std::size_t room = most_diff_bytes;
  for (const Action& action : plan.plan.actions) {
    if (action.id.type != PrimitiveType::file) continue;
    ContentView view = content_view(plan, action);
    if (view.kind == ContentView::Kind::none) continue;
    if (view.diff.size() > room) {
      view.diff.clear();
      view.kind = ContentView::Kind::digests;
      view.summary += " (the diff was too long to be kept)";
    }
    room -= view.diff.size();
    contents[to_text(action.id)] = to_value(view);
  }
  return contents;
}

void read_members(HostPlan& plan, const Value& kept) {
  Value whole = kept;
  for (const char* name : {"digest", "bundle_digest"}) whole[name] = kept.text_or(name, "");
  plan.plan = plan_from(whole);
  for (const auto& [id, view] : kept.at("contents").as_map()) plan.kept_contents[id] = content_from(view);
  plan.checks = kept.at("checks").as_texts();
  for (const auto& [unit, ms] : kept.at("down_ms").as_map()) plan.down_ms[unit] = ms.as_int();
  plan.running = kept.at("running").as_texts();
  if (const Value* traces = kept.find("changed_by")) {
    for (const Value& one : traces->as_list()) {
      plan.changed_by.push_back(
          {one.text_or("id", ""), one.int_or("at_ms", 0), one.text_or("by", ""), one.bool_or("known", false)});
    }
  }
}

Value to_value(const ChangeTrace& one) {
  return Map{{"id", one.id}, {"at_ms", one.at_ms}, {"by", one.by}, {"known", one.known}};
}

Value to_value(const CheckResult& check) {
  return Map{{"name", check.name}, {"passed", check.passed}, {"detail", check.detail}, {"took_ms", check.took_ms}};
}

}  // namespace

std::string keep_plan(const HostPlan& plan) {
  Value kept = to_value(plan.plan);
  Map down;
  for (const auto& [unit, ms] : plan.down_ms) down[unit] = ms;
  kept["version"] = kept_version;
  kept["contents"] = contents_of(plan);
  kept["checks"] = Value::texts(plan.checks);
  kept["down_ms"] = std::move(down);
  kept["running"] = Value::texts(plan.running);
  List changed_by;
  for (const ChangeTrace& one : plan.changed_by) changed_by.push_back(to_value(one));
  kept["changed_by"] = std::move(changed_by);
  return to_json(kept);
}

HostPlan kept_plan(const std::string& json) {
  HostPlan plan;
  if (json.empty()) return plan;
  try {
    const Value kept = from_json(json);
    if (kept.is_list()) {
      for (const Value& action : kept.as_list()) plan.plan.actions.push_back(action_from(action));
    } else {
      read_members(plan, kept);
    }
  } catch (const Error& error) {
    plan.error = std::string("the plan that was kept can't be read: ") + error.what();
  }
  return plan;
}

std::string keep_result(const TransactionResult& result) {
  Map changes;
  for (const auto& [id, one] : result.changes) {
    changes[id] = Map{{"state", one.state}, {"detail", one.detail}, {"took_ms", one.took_ms}, {"down_ms", one.down_ms}};
  }
  List checks;
  for (const CheckResult& one : result.checks) checks.push_back(to_value(one));
  return to_json(Map{{"changes", std::move(changes)}, {"checks", std::move(checks)}});
}

TransactionResult kept_result(const std::string& json) {
  TransactionResult result;
  if (json.empty()) return result;
  const Value kept = from_json(json);
  for (const auto& [id, one] : kept.at("changes").as_map()) {
    result.changes[id] = {.state = one.text_or("state", ""),
                          .detail = one.text_or("detail", ""),
                          .took_ms = one.int_or("took_ms", -1),
                          .down_ms = one.int_or("down_ms", -1)};
  }
  for (const Value& one : kept.at("checks").as_list()) {
    result.checks.push_back({.name = one.text_or("name", ""),
                             .passed = one.bool_or("passed", false),
                             .detail = one.text_or("detail", ""),
                             .took_ms = one.int_or("took_ms", 0)});
  }
  return result;
}

std::string outcome_text(const TransactionResult& result, const std::string& id) {
  const auto found = result.changes.find(id);
  if (found == result.changes.end()) return "not reached";
  const ChangeResult& one = found->second;
  std::string text = one.state;
  const bool lasted = one.state == "done" || one.state == "failed";
  if (lasted && one.took_ms >= 0) text += " in " + duration_text(one.took_ms);
  if (lasted && one.down_ms >= 0) text += ", " + duration_text(one.down_ms) + " not running";
  return text + (one.detail.empty() ? "" : ": " + one_line(one.detail.substr(0, one.detail.find('\n'))));
}

}  // namespace holdfast
