#include <controller/cli/suspend_look.hpp>

#include <controller/plan/times.hpp>
#include <controller/rollout/suspension.hpp>

#include <ostream>

namespace holdfast {

namespace {

constexpr std::int64_t soon_ms = 900'000;

}  // namespace

void print_suspensions(const std::vector<Suspension>& suspensions, const LookOptions& options, std::ostream& out) {
  for (const Suspension& one : suspensions) {
    const std::int64_t left = one.until_ms - options.now_ms;
    if (left <= 0) continue;
    out << "  " << scope_text(one) << ": " << styled(Style::warning, to_text(one), options.terminal.colour)
        << (left < soon_ms ? ", in " + duration_text(left) : "") << "\n";
  }
}

Value suspensions_record(const std::vector<Suspension>& suspensions) {
  List records;
  for (const Suspension& one : suspensions) {
    records.push_back(Map{{"host", one.host},
                          {"app", one.app},
                          {"by", one.by},
                          {"reason", one.reason},
                          {"since_ms", one.since_ms},
                          {"until_ms", one.until_ms}});
  }
  return records;
}

}  // namespace holdfast
