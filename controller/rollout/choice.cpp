#include <controller/rollout/choice.hpp>

#include <algorithm>

namespace holdfast {

namespace {

const Hold* held(const HostView& host, const std::vector<Hold>& holds) {
  const auto found = std::ranges::find_if(
      holds, [&](const Hold& hold) { return hold.host == host.host && hold.bundle == host.wanted; });
  return found == holds.end() ? nullptr : &*found;
}

Choice keep(const HostView& host, const std::string& why) {
  if (host.record.live_bundle.empty()) return {host.host, Turn::leave, why + "; this host has no verified state yet"};
  if (host.record.live_bundle == host.wanted) return {host.host, Turn::leave, why};
  return {host.host, Turn::enforce, why};
}

}  // namespace

std::vector<Choice> choose(const std::vector<HostView>& hosts, const std::vector<Hold>& holds) {
  const auto stopped = std::ranges::find_if(hosts, [&](const HostView& host) { return held(host, holds) != nullptr; });
  std::vector<Choice> choices;
  for (const HostView& host : hosts) {
    if (host.record.state == "rollback_failed") {
      choices.push_back({host.host, Turn::leave, host.record.detail});
    } else if (const Hold* hold = held(host, holds)) {
      choices.push_back(keep(host, "held: " + hold->reason));
    } else if (host.record.live_bundle == host.wanted) {
      choices.push_back({host.host, Turn::steady, ""});
    } else if (stopped != hosts.end()) {
      choices.push_back(keep(host, "waiting: this commit failed on " + stopped->host));
    } else if (!host.waits.empty()) {
      choices.push_back(keep(host, "waiting: " + host.waits));
    } else {
      choices.push_back({host.host, Turn::advance, ""});
    }
  }
  return choices;
}

}  // namespace holdfast
