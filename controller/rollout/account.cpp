#include <controller/rollout/account.hpp>

#include <controller/plan/content_view.hpp>
#include <controller/plan/plan_lines.hpp>
#include <controller/plan/plan_words.hpp>
#include <controller/plan/times.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t most_unplanned = 10'000;  // that packages bring and that were planned on the host
constexpr std::int64_t most_ms = 86'400'000;    // a host's word on a duration is believed up to a day

std::int64_t ms_at(const Value& event, std::string_view name) {
  return std::clamp<std::int64_t>(event.int_or(name, -1), -1, most_ms);
}

std::string state_of(const std::string& told, bool undoing) {
  if (told == "begin") return undoing ? "undoing" : "begun";
  if (told == "done") return undoing ? "undone" : "done";
  return undoing ? "undo failed" : "failed";
}

}  // namespace

void Account::begin(HostPlan plan) {
  plan_ = std::move(plan);
  keep_contents(plan_);
  view_ = view_of(plan_);
  lines_.clear();
  for (const Action& action : plan_.plan.actions) {
    const std::string where = place_text(action.origin.position);
    const std::string origin = one_line(action.origin.resource) + (where.empty() ? "" : " " + where);
    lines_[to_text(action.id)] = change_line(change_view(plan_, action)) + (origin.empty() ? "" : "  (" + origin + ")");
  }
}

std::string Account::summary() const { return summary_text(view_); }

std::vector<std::string> Account::warnings() const {
  std::vector<std::string> lines;
  for (const UnitEffect& effect : view_.effects) {
    if (effect.verb == "restarts" || effect.verb == "stops") lines.push_back(effect_text(effect));
  }
  for (const std::string& one : view_.irreversible) lines.push_back("can't be undone in full: " + one);
  return lines;
}

Value Account::record() const {
  List ids;
  for (const Action& action : plan_.plan.actions) ids.emplace_back(one_line(to_text(action.id)));
  return Map{{"event", "plan"}, {"summary", summary()}, {"changes", std::move(ids)}};
}

std::vector<Account::Line> Account::take(const Value& event) {
  const std::string kind = event.text_or("kind", "");
  if (kind == "phase") {
    undoing_ = event.text_or("phase", "") == "rollback";
    return {};
  }
  if (kind != "action") return {};
  const std::string id = one_line(event.text_or("id", ""));
  const std::string told = event.text_or("state", "");
  if (result_.changes.size() > plan_.plan.actions.size() + most_unplanned && !result_.changes.contains(id)) return {};
  ChangeResult& result = result_.changes[id];
  result.state = state_of(told, undoing_);
  if (told == "begin") return {};
  if (!undoing_) result.took_ms = ms_at(event, "took_ms");
  if (!undoing_) result.down_ms = ms_at(event, "down_ms");
  if (told == "failed") result.detail = printable(event.text_or("detail", ""));
  return {line(id, result)};
}

Account::Line Account::line(const std::string& id, const ChangeResult& result) const {
  const auto known = lines_.find(id);
  Line line;
  const bool failed = result.state.ends_with("failed");
  if (failed) line.level = Progress::Level::bad;
  line.text = result.state + "  " + (known == lines_.end() ? with_short_ids(id) : known->second);
  if (!undoing_ && result.took_ms >= 0) line.text += "  " + duration_text(result.took_ms);
  if (!undoing_ && result.down_ms >= 0) line.text += ", " + duration_text(result.down_ms) + " not running";
  if (failed) line.text += ": " + result.detail;
  line.record = Map{{"event", "change"}, {"id", id}, {"state", result.state}, {"took_ms", result.took_ms}};
  return line;
}

void Account::checked(const std::vector<Sample>& round) {
  result_.checks.clear();
  for (const Sample& one : round) {
    result_.checks.push_back({.name = one.check, .passed = one.passed, .detail = one.detail, .took_ms = one.took_ms});
  }
}

std::map<std::string, std::int64_t> Account::downs() const {
  std::map<std::string, std::int64_t> downs;
  for (const auto& [id, one] : result_.changes) {
    if (id.starts_with("unit:") && one.down_ms >= 0) downs[id.substr(5)] = one.down_ms;
  }
  return downs;
}

}  // namespace holdfast
