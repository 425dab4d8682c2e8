// What units go through in a plan, and what those who use them notice of it.
#include <controller/plan/plan_view.hpp>
#include <controller/plan/plan_words.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> effect_verbs = {
    {{"unit.start", "starts"}, {"unit.stop", "stops"}, {"unit.restart", "restarts"}, {"unit.reload", "reloads"}}};

std::string_view verb_of(const Step& step) {
  for (const auto& [verb, word] : effect_verbs) {
    if (verb == step.verb) return word;
  }
  return "";
}

std::vector<std::string> loads_of(const Action& unit) {
  for (const Step& step : unit.steps) {
    const auto found = step.arguments.find("loads");
    if (step.verb == "unit.loaded" && found != step.arguments.end()) return found->second.as_texts();
  }
  return {};
}

/// What changes among the things that a unit loads.
std::vector<const Action*> causes_of(const Plan& plan, const Action& unit) {
  const std::vector<std::string> loads = loads_of(unit);
  std::vector<const Action*> causes;
  for (const Action& action : plan.actions) {
    if (std::ranges::find(loads, to_text(action.id)) != loads.end()) causes.push_back(&action);
  }
  return causes;
}

/// Their manifests, each once; a thing of a manifest that has several is not named apart.
std::string reason_of(const std::vector<const Action*>& causes) {
  std::vector<std::string> names;
  for (const Action* action : causes) {
    const std::string name = one_line(action->origin.resource.empty() ? to_text(action->id) : action->origin.resource);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  if (names.empty()) return "it runs with something older than what is on the host";
  return join_with_and(names) + (names.size() == 1 ? " changes" : " change");
}

bool is_service(const std::string& unit) { return unit.ends_with(".service"); }

bool has_socket(const HostPlan& host, const std::string& unit) {
  const std::string socket = unit.substr(0, unit.rfind('.')) + ".socket";
  return std::ranges::find(host.running, socket) != host.running.end();
}

std::string interruption_of(const HostPlan& host, const Action& action, std::string_view verb) {
  const std::string& unit = action.id.name;
  if (verb == "starts") return "none: it is not running";
  if (!is_service(unit)) return verb == "stops" ? "it stays stopped" : "none";
  if (verb == "reloads") return "none, where it reloads without dropping connections";
  if (verb == "stops") return "it is gone from then on";
  return has_socket(host, unit) ? "connections wait in its socket" : "stops, and starts again";
}

std::string undone_by(const Action& action) {
  for (const Step& step : action.undo) {
    if (!verb_of(step).empty()) return std::string(verb_of(step));
  }
  return "";
}

}  // namespace

std::vector<UnitEffect> effects_of(const HostPlan& host, const Action& action) {
  std::vector<UnitEffect> effects;
  for (const Step& step : action.steps) {
    const std::string_view verb = verb_of(step);
    if (verb.empty()) continue;
    UnitEffect effect{.verb = std::string(verb), .unit = one_line(action.id.name)};
    effect.interruption = interruption_of(host, action, verb);
    effect.undone = undone_by(action);
    if (verb == "restarts" || verb == "reloads") {
      const std::vector<const Action*> causes = causes_of(host.plan, action);
      effect.because = reason_of(causes);
      for (const Action* cause : causes) effect.causes.push_back(with_short_ids(one_line(to_text(cause->id))));
    }
    const auto measured = host.down_ms.find(action.id.name);
    if (verb == "restarts" && measured != host.down_ms.end()) effect.down_ms = measured->second;
    effects.push_back(std::move(effect));
  }
  return effects;
}

}  // namespace holdfast
