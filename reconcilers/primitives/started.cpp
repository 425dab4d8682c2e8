#include <reconcilers/primitives/started.hpp>

#include <reconcilers/host/systemctl.hpp>

#include <algorithm>
#include <array>
#include <thread>

namespace holdfast {

namespace {

constexpr std::chrono::seconds ask_deadline{30};
/// When a started unit is looked at again.
constexpr std::array looks = {std::chrono::milliseconds(100), std::chrono::milliseconds(300),
                              std::chrono::milliseconds(700)};

std::string journal_of(const System& system, const std::string& unit) {
  const Command command{.argv = {"journalctl", "-u", unit, "-n", "20", "--no-pager", "-o", "cat"},
                        .deadline = ask_deadline};
  const Output output = system.ask(command);
  return output.ok() ? output.out : std::string();
}

void look(const System& system, const std::vector<std::string>& names) {
  for (const UnitStatus& status : show_units(system, names)) {
    if (status.active != "failed" && status.sub != "auto-restart") continue;
    const std::string what = "\"" + status.id + "\" died right after its start (" + status.result + ")";
    throw UnitDied{.unit = status.id, .what = with_journal(system, status.id, what)};
  }
}

}  // namespace

std::string with_journal(const System& system, const std::string& unit, const std::string& what) {
  const std::string lines = journal_of(system, unit);
  if (lines.empty()) return what;
  return what + "; its last journal lines:\n" + lines.substr(0, lines.find_last_not_of('\n') + 1);
}

void require_settled(const System& system, const std::vector<StartedUnit>& units) {
  if (units.empty()) return;
  std::vector<std::string> names;
  auto newest = units.front().at;
  for (const StartedUnit& one : units) {
    names.push_back(one.unit);
    newest = std::max(newest, one.at);
  }
  for (const std::chrono::milliseconds after : looks) {
    if (std::chrono::steady_clock::now() > newest + after && after != looks.back()) continue;
    std::this_thread::sleep_until(newest + after);
    look(system, names);
  }
}

}  // namespace holdfast
