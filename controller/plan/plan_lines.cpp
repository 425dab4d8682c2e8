#include <controller/plan/plan_lines.hpp>

#include <controller/plan/plan_words.hpp>
#include <controller/plan/times.hpp>

#include <algorithm>
#include <map>

namespace holdfast {

namespace {

/// In the order in which people care.
constexpr const char* verbs[] = {"restarts", "stops", "reloads", "starts"};

std::vector<std::string> units_of(const std::vector<UnitEffect>& effects, const std::string& verb) {
  std::vector<std::string> units;
  for (const UnitEffect& effect : effects) {
    if (effect.verb == verb && std::ranges::find(units, effect.unit) == units.end()) units.push_back(effect.unit);
  }
  return units;
}

void join(std::string& text, const std::string& part, const char* between) {
  if (!part.empty()) text += (text.empty() ? "" : between) + part;
}

std::string counted(std::size_t number, const char* what) {
  return number == 0 ? "" : std::to_string(number) + " " + what;
}

}  // namespace

const char* sign_text(ChangeView::Sign sign) {
  if (sign == ChangeView::Sign::create) return "+";
  return sign == ChangeView::Sign::remove ? "-" : "~";
}

const char* sign_word(ChangeView::Sign sign) {
  if (sign == ChangeView::Sign::create) return "create";
  return sign == ChangeView::Sign::remove ? "remove" : "change";
}

std::vector<std::string> words_of(const ChangeView& change) {
  std::vector<std::string> words = change.details;
  if (change.content.kind != ContentView::Kind::none) words.push_back(change.content.summary);
  for (const std::string& command : change.commands) words.push_back("runs " + command);
  if (!change.outcome.empty()) words.push_back("[" + change.outcome + "]");
  return words;
}

std::string change_line(const ChangeView& change) {
  std::string text;
  for (const std::string& word : words_of(change)) join(text, word, ", ");
  return std::string(sign_text(change.sign)) + " " + change.id + (text.empty() ? "" : "  " + text);
}

std::string interruption_text(const UnitEffect& effect) {
  if (effect.down_ms < 0) return effect.interruption;
  return effect.interruption + ", about " + duration_text(effect.down_ms) + " not running, then until it is ready";
}

std::string effect_text(const UnitEffect& effect) {
  return effect.verb + " " + effect.unit + (effect.because.empty() ? "" : ": " + effect.because) +
         (effect.interruption.empty() ? "" : "; interruption: " + interruption_text(effect));
}

std::string units_text(const std::vector<UnitEffect>& effects) {
  std::string text;
  for (const char* verb : verbs) {
    const std::vector<std::string> units = units_of(effects, verb);
    if (!units.empty()) join(text, std::string(verb) + " " + join_with_and(units), ", ");
  }
  return text;
}

std::string backup_text(const BackupView& backup) {
  return "takes and verifies backup " + backup.policy + " first, because " + backup.because + " changes" +
         (backup.origin.empty() ? "" : "  (" + backup.origin + ")");
}

std::string summary_text(const PlanView& view) {
  std::string text = view.counts();
  std::vector<std::string> backups;
  for (const BackupView& backup : view.backups) backups.push_back(backup.policy);
  if (!backups.empty()) join(text, "takes backup " + join_with_and(backups) + " first", "; ");
  if (view.has_changes()) join(text, units_text(view.effects), "; ");
  return text;
}

std::string done_text(const PlanView& view) {
  std::string text = counted(view.created, "created");
  join(text, counted(view.changed, "changed"), ", ");
  join(text, counted(view.removed, "removed"), ", ");
  join(text, units_text(view.effects), ", ");
  return text.empty() ? "nothing" : text;
}

std::string undo_text(const PlanView& view, std::int64_t health_window_ms) {
  if (!view.has_changes()) return "";
  std::string when = "when a step fails";
  if (!view.checks.empty()) {
    when += " or " + (view.checks.size() == 1 ? "the check does" : number_of(view.checks.size(), "check") + " do") +
            " not pass";
    if (health_window_ms > 0) when += " within " + duration_text(health_window_ms);
  }
  std::vector<UnitEffect> undone;
  for (const UnitEffect& effect : view.effects) {
    if (!effect.undone.empty()) undone.push_back({.verb = effect.undone, .unit = effect.unit});
  }
  const std::string units = units_text(undone);
  return when + ", all of it is put back" + (units.empty() ? "" : ", which " + units) +
         (view.irreversible.empty() ? "" : ", but for what is told below");
}

std::string total_text(const std::vector<PlanGroup>& groups) {
  std::size_t hosts = 0;
  std::map<std::string, std::size_t> number;
  std::vector<UnitEffect> effects;
  for (const PlanGroup& group : groups) {
    const PlanView& view = group.view;
    const char* state = !view.error.empty()      ? "error"
                        : !view.refusals.empty() ? "refused"
                        : view.has_changes()     ? "changes"
                                                 : "quiet";
    number[state] += group.hosts.size();
    hosts += group.hosts.size();
    effects.insert(effects.end(), view.effects.begin(), view.effects.end());
  }
  std::string text = counted(number["changes"], "with changes");
  join(text, counted(number["quiet"], "as wanted"), ", ");
  join(text, counted(number["refused"], "refused"), ", ");
  join(text, counted(number["error"], "without a plan"), ", ");
  text = number_of(hosts, "host") + ": " + text;
  join(text, units_text(effects), "; ");
  return text;
}

}  // namespace holdfast
