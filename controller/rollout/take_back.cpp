#include <controller/rollout/take_back.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr int most_deployments = 50;

/// It failed while the host took it, or in the watch after that; a repair that failed is no word against the commit.
const Hold* failure_of(const std::vector<HostView>& hosts, const std::vector<Hold>& holds) {
  for (const HostView& host : hosts) {
    for (const Hold& hold : holds) {
      const bool blames = host.record.live_bundle != host.wanted || !hold.back_to.empty();
      if (hold.host == host.host && hold.bundle == host.wanted && hold.commit == host.commit && blames) return &hold;
    }
  }
  return nullptr;
}

bool is_held(const HostView& host, const std::vector<Hold>& holds) {
  return std::ranges::any_of(holds,
                             [&](const Hold& hold) { return hold.host == host.host && hold.bundle == host.wanted; });
}

}  // namespace

std::string verified_before(Store& store, const std::string& environment, const std::string& host,
                            const std::string& commit) {
  for (const Deployment& one : store.deployments(environment, host, most_deployments)) {
    if (one.outcome != Outcome::deployed || one.commit != commit) continue;
    return one.from_commit == commit ? "" : one.from_commit;
  }
  return "";
}

void end_taken_back(Store& store, const std::vector<HostView>& hosts, const std::vector<Hold>& holds,
                    std::int64_t now_ms) {
  for (const Hold& hold : holds) {
    if (hold.deployment == 0 || hold.back_to.empty()) continue;
    const auto host = std::ranges::find(hosts, hold.host, &HostView::host);
    if (host == hosts.end() || host->record.live_bundle == hold.bundle) continue;
    const auto deployment = store.deployment(hold.deployment);
    if (!deployment || deployment->outcome != Outcome::deployed) continue;
    store.take_back_deployment(hold.deployment, hold.reason, now_ms);
  }
}

void hold_where_taken(Store& store, const std::vector<HostView>& hosts, std::vector<Hold>& holds, std::int64_t now_ms) {
  const Hold* found = failure_of(hosts, holds);
  if (found == nullptr) return;
  const Hold failure = *found;
  for (const HostView& host : hosts) {
    if (host.record.live_bundle != host.wanted || is_held(host, holds)) continue;
    const std::string back_to = verified_before(store, failure.environment, host.host, host.commit);
    if (back_to.empty()) continue;
    const std::string why =
        failure.deployment == 0 ? failure.reason : "failed on " + failure.host + ": " + failure.reason;
    const Hold hold{.environment = failure.environment,
                    .host = host.host,
                    .bundle = host.wanted,
                    .commit = host.commit,
                    .reason = why,
                    .since_ms = now_ms,
                    .back_to = back_to};
    store.put_hold(hold);
    holds.push_back(hold);
  }
}

}  // namespace holdfast
