#include <controller/store/store.hpp>

#include <array>
#include <utility>

namespace holdfast {

namespace {

constexpr std::array<std::pair<Outcome, std::string_view>, 9> outcome_names = {{
    {Outcome::running, "running"},
    {Outcome::deployed, "deployed"},
    {Outcome::repaired, "repaired"},
    {Outcome::rolled_back, "rolled back"},
    {Outcome::rollback_failed, "rollback failed"},
    {Outcome::refused, "refused"},
    {Outcome::failed, "failed"},
    {Outcome::unknown, "unknown"},
    {Outcome::superseded, "superseded"},
}};

}  // namespace

std::string_view to_text(Outcome outcome) {
  for (const auto& [known, name] : outcome_names) {
    if (known == outcome) return name;
  }
  return "unknown";
}

Outcome outcome_from(std::string_view text) {
  for (const auto& [outcome, name] : outcome_names) {
    if (name == text) return outcome;
  }
  return Outcome::unknown;
}

}  // namespace holdfast
