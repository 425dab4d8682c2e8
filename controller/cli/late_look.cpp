#include <controller/cli/late_look.hpp>

#include <controller/cli/terminal.hpp>
#include <controller/plan/times.hpp>
#include <controller/rollout/late_watches.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <ostream>

namespace holdfast {

namespace {

constexpr std::size_t most_shown = 10;
constexpr std::size_t short_id = 12;

}  // namespace

void print_late_watches(const std::vector<LateWatch>& watches, const LookOptions& options, std::ostream& out) {
  for (std::size_t i = 0; i < std::min(watches.size(), most_shown); ++i) {
    const LateWatch& one = watches[i];
    const LateTally tally = tally_of(one);
    out << one.host << "  late watch of " << one.commit.substr(0, short_id) << ", " << duration_text(tally.watched_ms())
        << " of " << duration_text(one.for_ms) << ": " << tally.summary();
    if (const std::string failing = tally.failing(); !failing.empty()) {
      out << "; " << styled(Style::warning, "fails now", options.terminal.colour) << " "
          << printable(failing.substr(0, failing.find('\n')));
    }
    out << "\n";
  }
  if (watches.size() > most_shown) out << "  " << watches.size() - most_shown << " more hosts are watched\n";
}

Value late_watches_record(const std::vector<LateWatch>& watches) {
  List records;
  for (const LateWatch& one : watches) {
    const LateTally tally = tally_of(one);
    records.push_back(Map{{"host", one.host},
                          {"commit", one.commit},
                          {"deployment", one.deployment},
                          {"begun_ms", one.begun_ms},
                          {"watched_ms", tally.watched_ms()},
                          {"for_ms", one.for_ms},
                          {"rounds", tally.rounds()},
                          {"failing", tally.failing()}});
  }
  return records;
}

}  // namespace holdfast
