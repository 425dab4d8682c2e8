#include <controller/rollout/rollout_note.hpp>

#include <controller/plan/times.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t most_shown = 10;

std::string note_name(const std::string& environment) { return "rollout " + environment; }

std::size_t size_from(const Value& value, const char* key) {
  return static_cast<std::size_t>(std::max<std::int64_t>(0, value.int_or(key, 0)));
}

std::string named(const std::vector<std::string>& hosts) {
  std::string text;
  for (std::size_t i = 0; i < std::min(hosts.size(), most_shown); ++i) text += (i == 0 ? "" : ", ") + hosts[i];
  if (hosts.size() > most_shown) text += " and " + std::to_string(hosts.size() - most_shown) + " more";
  return printable(text);
}

}  // namespace

Value rollout_record(const RolloutNote& note) {
  const RolloutPlace& place = note.place;
  return Map{{"commit", note.commit},
             {"wave", static_cast<std::int64_t>(place.wave)},
             {"waves", static_cast<std::int64_t>(note.waves)},
             {"hosts", Value::texts(place.hosts)},
             {"left", static_cast<std::int64_t>(place.left)},
             {"since_ms", note.since_ms},
             {"next_ms", place.next_ms}};
}

std::optional<RolloutNote> rollout_note(Store& store, const std::string& environment) {
  const auto text = store.note(note_name(environment));
  if (!text) return std::nullopt;
  try {
    const Value value = from_json(*text);
    RolloutNote note{.commit = value.text_or("commit", ""),
                     .waves = size_from(value, "waves"),
                     .since_ms = value.int_or("since_ms", 0)};
    note.place = {.key = value.text_or("key", ""),
                  .healthy = static_cast<int>(value.int_or("healthy", 0)),
                  .wave = size_from(value, "wave"),
                  .taken = size_from(value, "taken"),
                  .running = size_from(value, "running"),
                  .hosts = value.at("hosts").as_texts(),
                  .next_ms = value.int_or("next_ms", 0),
                  .left = size_from(value, "left")};
    return note;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void put_rollout_note(Store& store, const std::string& environment, const RolloutNote& note) {
  Value record = rollout_record(note);
  record["key"] = note.place.key;
  record["healthy"] = note.place.healthy;
  record["taken"] = static_cast<std::int64_t>(note.place.taken);
  record["running"] = static_cast<std::int64_t>(note.place.running);
  store.put_note(note_name(environment), to_json(record));
}

std::string rollout_text(const RolloutNote& note, std::int64_t now_ms) {
  const RolloutPlace& place = note.place;
  if (place.left == 0) return "";
  const bool pause = place.next_ms != 0;
  const std::size_t wave = pause && place.wave != 0 ? place.wave - 1 : place.wave;  // the one that is done
  std::string text = wave == 0 ? "canary" : "wave " + std::to_string(wave);
  if (wave != 0 && note.waves >= wave) text += " of " + std::to_string(note.waves);
  if (!place.hosts.empty()) text += ": " + named(place.hosts);
  if (pause && place.next_ms > now_ms) {
    text += "; next in " + duration_text(place.next_ms - now_ms);
  } else if (pause) {
    text += "; next now";
  }
  return text + "; " + std::to_string(place.left) + (place.left == 1 ? " host is left" : " hosts are left");
}

}  // namespace holdfast
