#include <controller/cli/gate_look.hpp>

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

void print_waits(Store& store, const std::string& environment, const LookOptions& options, std::ostream& out) {
  for (const Wait& wait : store.waits(environment)) {
    out << "  " << (wait.host.empty() ? "" : wait.host + " ")
        << styled(Style::warning, "waits", options.terminal.colour) << " since " << utc_text(wait.since_ms) << ": "
        << wait.why << (wait.found.empty() ? "" : " (" + wait.found + ")") << "\n";
  }
}

}  // namespace holdfast
