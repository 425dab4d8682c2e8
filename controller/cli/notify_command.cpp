#include <controller/cli/notify_command.hpp>

#include <controller/notify/sink.hpp>
#include <controller/plan/times.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <atomic>
#include <ostream>

namespace holdfast {

namespace {

std::vector<SinkSettings> chosen(const std::vector<SinkSettings>& sinks, const std::string& only) {
  if (sinks.empty())
    throw Error("the controller's settings have no `notify`: see `holdfast explain Controller.notify`");
  std::vector<SinkSettings> found;
  std::string known;
  for (const SinkSettings& sink : sinks) {
    if (only.empty() || sink.name == only) found.push_back(sink);
    known += (known.empty() ? "" : ", ") + sink.name;
  }
  if (found.empty()) throw Error("there is no sink \"" + printable(only) + "\"; the settings have " + known);
  return found;
}

Notification test_note(const Clock& clock) {
  Notification note{
      .event = "test", .at_ms = clock.wall_ms(), .reason = "this is a test, somebody ran `holdfast notify test`"};
  for (int i = 0; i < 4; ++i) note.id += clock.random_hex();
  return note;
}

}  // namespace

int notify_test_command(const std::vector<SinkSettings>& sinks, const std::string& only, const Clock& clock, bool json,
                        std::ostream& out) {
  const std::atomic<bool> never = false;
  int code = 0;
  List records;
  for (const SinkSettings& sink : chosen(sinks, only)) {
    const std::int64_t begun = clock.monotonic_ms();
    const SendResult result = send_to(sink, test_note(clock), never);
    const std::int64_t took = clock.monotonic_ms() - begun;
    const bool worked = result.state == SendResult::State::delivered;
    if (!worked) code = 1;
    records.push_back(Map{{"name", sink.name}, {"delivered", worked}, {"why", result.why}, {"took_ms", took}});
    if (json) continue;
    out << sink.name << " (" << place_of(sink)
        << "): " << (worked ? "delivered in " + duration_text(took) : "failed: " + result.why) << "\n";
  }
  if (json) out << to_pretty_json(Map{{"version", 1}, {"sinks", records}}) << "\n";
  return code;
}

}  // namespace holdfast
