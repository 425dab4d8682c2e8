#include <controller/gates/override.hpp>

#include <controller/plan/times.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

namespace holdfast {

namespace {

std::string note_of(const std::string& environment) { return "override " + environment; }

}  // namespace

void put_override(Store& store, const Override& given) {
  const Value record =
      Map{{"commit", given.commit},     {"by", given.by},    {"reason", given.reason}, {"since_ms", given.since_ms},
          {"until_ms", given.until_ms}, {"used", given.used}};
  store.put_note(note_of(given.environment), to_json(record));
}

std::optional<Override> override_of(Store& store, const std::string& environment, const std::string& commit,
                                    std::int64_t now_ms) {
  const std::string note = store.note(note_of(environment)).value_or("");
  if (note.empty()) return std::nullopt;
  const Value record = from_json(note);
  Override found{.environment = environment,
                 .commit = record.text_or("commit", ""),
                 .by = record.text_or("by", ""),
                 .reason = record.text_or("reason", ""),
                 .since_ms = record.int_or("since_ms", 0),
                 .until_ms = record.int_or("until_ms", 0),
                 .used = record.bool_or("used", false)};
  // A clock that was set back does not make it longer.
  if (now_ms >= found.until_ms || now_ms < found.since_ms) return std::nullopt;
  if (!commit.empty() && found.commit != commit) return std::nullopt;
  return found;
}

bool end_override(Store& store, const std::string& environment, std::int64_t now_ms) {
  const bool was = override_of(store, environment, "", now_ms).has_value();
  if (was) store.put_note(note_of(environment), "");
  return was;
}

std::string override_text(const Override& given) {
  return "override by " + printable(given.by) + " until " + utc_text(given.until_ms) + ": " + printable(given.reason);
}

}  // namespace holdfast
