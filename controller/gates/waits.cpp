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
    const auto known = std::ranges::find_if(before, [&](const Wait& one) {
      return one.gate == answer.gate && one.commit == waiting.commit;
    });
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
    if (known == before.end() || known->why != one.why) tell("waits: " + one.why);
  }
  if (now.empty() && !before.empty() && !answers.empty()) tell("waits no longer: all its gates are open");
  if (now != before) store.put_waits(waiting.environment, waiting.host, now);
  return text;
}

void remember_begun(Store& store, const std::string& environment, const std::string& commit) {
  if (!has_begun(store, environment, commit)) store.put_note(note_of(environment), commit);
}

void forget_begun(Store& store, const std::string& environment) {
  if (!store.note(note_of(environment)).value_or("").empty()) store.put_note(note_of(environment), "");
}

bool has_begun(Store& store, const std::string& environment, const std::string& commit) {
  return store.note(note_of(environment)).value_or("") == commit;
}

}  // namespace holdfast
