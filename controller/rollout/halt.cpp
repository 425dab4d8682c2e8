#include <controller/rollout/halt.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr int newest = 20;
constexpr std::size_t short_id = 12;

/// A repair that failed says nothing of commits, nor does what is held because of another host.
bool stands(Store& store, const Hold& hold) {
  if (hold.deployment == 0) return false;
  const auto failed = store.deployment(hold.deployment);
  if (!failed || failed->cause == "drift" || failed->cause == "rollback") return false;
  const auto later = store.deployments(hold.environment, hold.host, newest);
  return std::ranges::none_of(later, [&](const Deployment& one) {
    return one.id > hold.deployment && one.outcome == Outcome::deployed && one.cause == "commit";
  });
}

}  // namespace

std::optional<GateAnswer> halted(Store& store, const std::string& environment, const std::vector<Hold>& holds) {
  const auto found = std::ranges::find_if(holds, [&](const Hold& hold) { return stands(store, hold); });
  if (found == holds.end()) return std::nullopt;
  return GateAnswer{.gate = "halt",
                    .why = "halted: " + found->commit.substr(0, short_id) + " failed on " + found->host +
                           "; `holdfast retry " + environment + "` goes on",
                    .found = found->reason.substr(0, found->reason.find('\n'))};
}

}  // namespace holdfast
