#include <controller/gates/waits.hpp>

#include <manifests/problem.hpp>

#include <algorithm>

namespace holdfast {

namespace {

std::vector<Wait> waits_from(const Waiting& waiting, const std::vector<GateAnswer>& answers, std::int64_t now_ms,
                             const std::vector<Wait>& before) {
  std::vector<Wait> waits;
  for (const GateAnswer& answer : answers) {
    if (answer.open) continue;
    const auto known = std::ranges::find_if(
        before, [&](const Wait& one) { return one.gate == answer.gate && one.commit == waiting.commit; });
    waits.push_back({.host = waiting.host,
                     .gate = answer.gate,
                     .commit = waiting.commit,
                     .why = printable(answer.why),
                     .found = printable(answer.found),
                     .since_ms = known == before.end() ? now_ms : known->since_ms});
  }
  return waits;
}

std::string note_of(const std::string& environment) { return "begun " + environment; }

}  // namespace

std::string remember_answers(Store& store, const Waiting& waiting, const std::vector<GateAnswer>& answers,
                             std::int64_t now_ms, const std::function<void(const std::string& line)>& tell) {
  std::vector<Wait> before = store.waits(waiting.environment);
  std::erase_if(before, [&](const Wait& one) { return one.host != waiting.host; });
  const std::vector<Wait> now = waits_from(waiting, answers, now_ms, before);
  std::string text;
  for (const Wait& one : now) {
    text += (text.empty() ? "" : "; ") + one.why;
    const auto known = std::ranges::find(before, one.gate, &Wait::gate);
    const bool told = known != before.end() && known->why == one.why && known->commit == one.commit;
    if (!told) tell("waits: " + one.why);
  }
  if (now.empty() && !before.empty() && !answers.empty()) tell("waits no longer: all its gates are open");
  const auto by_gate = [](std::vector<Wait> waits) {
    std::ranges::sort(waits, {}, &Wait::gate);
    return waits;
  };
  if (by_gate(now) != by_gate(before)) store.put_waits(waiting.environment, waiting.host, now);
  return text;
}

void remember_begun(Store& store, const std::string& environment, const Begun& begun) {
  if (begun_in(store, environment).commit == begun.commit) return;
  store.put_note(note_of(environment), begun.commit + (begun.overruns ? " overruns" : ""));
}

void forget_begun(Store& store, const std::string& environment) {
  if (!begun_in(store, environment).commit.empty()) store.put_note(note_of(environment), "");
}

Begun begun_in(Store& store, const std::string& environment) {
  const std::string note = store.note(note_of(environment)).value_or("");
  const std::size_t space = note.find(' ');
  return {.commit = note.substr(0, space), .overruns = space != std::string::npos};
}

}  // namespace holdfast
