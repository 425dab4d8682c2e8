#include <controller/cli/gate_look.hpp>

#include <controller/gates/override.hpp>
#include <controller/plan/times.hpp>

#include <ostream>

namespace holdfast {

List waits_record(Store& store, const std::string& environment) {
  List records;
  for (const Wait& wait : store.waits(environment)) {
    records.push_back(Map{{"gate", wait.gate},
                          {"host", wait.host},
                          {"commit", wait.commit},
                          {"why", wait.why},
                          {"found", wait.found},
                          {"since_ms", wait.since_ms}});
  }
  return records;
}

Value override_record(Store& store, const std::string& environment, std::int64_t now_ms) {
  const auto given = override_of(store, environment, "", now_ms);
  if (!given) return {};
  return Map{{"commit", given->commit},     {"by", given->by},
             {"reason", given->reason},     {"since_ms", given->since_ms},
             {"until_ms", given->until_ms}, {"used", given->used}};
}

void print_gates(Store& store, const std::string& environment, const LookOptions& options, std::ostream& out) {
  if (const auto given = override_of(store, environment, "", options.now_ms)) {
    out << "  " << styled(Style::warning, "gates are open", options.terminal.colour) << " for "
        << given->commit.substr(0, 12) << ": " << override_text(*given) << "\n";
  }
  for (const Wait& wait : store.waits(environment)) {
    out << "  " << (wait.host.empty() ? "" : wait.host + " ")
        << styled(Style::warning, "waits", options.terminal.colour) << " since " << utc_text(wait.since_ms) << ": "
        << wait.why << (wait.found.empty() ? "" : " (" + wait.found + ")") << "\n";
  }
}

}  // namespace holdfast
