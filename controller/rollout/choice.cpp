#include <controller/rollout/choice.hpp>

#include <algorithm>

namespace holdfast {

namespace {

/// What failed elsewhere is held for that commit only: another one may mend it there, and wants the same here.
bool is_for_others(const Hold& hold) { return hold.deployment == 0 && !hold.back_to.empty(); }

const Hold* held(const HostView& host, const std::vector<Hold>& holds) {
  const auto found = std::ranges::find_if(holds, [&](const Hold& hold) {
    const bool same = hold.host == host.host && hold.bundle == host.wanted;
    return same && (!is_for_others(hold) || hold.commit == host.commit);
  });
  return found == holds.end() ? nullptr : &*found;
}

/// A host goes back once: where that failed too, a person decides.
Choice go_back(const HostView& host, const Hold& hold, const std::vector<Hold>& holds) {
  const auto failed = std::ranges::find_if(holds, [&](const Hold& one) {
    return one.host == host.host && one.commit == hold.back_to && one.since_ms >= hold.since_ms;
  });
  const std::string why = "held: " + hold.reason;
  if (failed == holds.end()) return {host.host, Turn::back, why, hold.back_to};
  return {host.host, Turn::leave, why + "; going back failed too: " + failed->reason, ""};
}

Choice keep(const HostView& host, const std::string& why, const std::vector<Hold>& holds) {
  if (host.record.live_bundle.empty())
    return {host.host, Turn::leave, why + "; this host has no verified state yet", ""};
  if (host.record.live_bundle == host.wanted) return {host.host, Turn::leave, why, ""};
  const auto live = std::ranges::find_if(holds, [&](const Hold& hold) {
    return hold.host == host.host && hold.bundle == host.record.live_bundle && !hold.back_to.empty() &&
           (!is_for_others(hold) || hold.commit == host.record.live_commit);
  });
  if (live != holds.end()) return go_back(host, *live, holds);  // what it has is not to be kept either
  return {host.host, Turn::enforce, why, ""};
}

}  // namespace

std::vector<Choice> choose(const std::vector<HostView>& hosts, const std::vector<Hold>& holds) {
  const auto stopped = std::ranges::find_if(hosts, [&](const HostView& host) { return held(host, holds) != nullptr; });
  std::vector<Choice> choices;
  for (const HostView& host : hosts) {
    if (host.record.state == "rollback_failed") {
      choices.push_back({host.host, Turn::leave, host.record.detail, ""});
    } else if (!host.suspended.empty()) {
      choices.push_back({host.host, Turn::look, host.suspended, ""});
    } else if (const Hold* hold = held(host, holds)) {
      const bool back = !hold->back_to.empty() && host.record.live_bundle == host.wanted;
      choices.push_back(back ? go_back(host, *hold, holds) : keep(host, "held: " + hold->reason, holds));
    } else if (host.record.live_bundle == host.wanted) {
      choices.push_back({host.host, Turn::steady, "", ""});
    } else if (stopped != hosts.end()) {
      choices.push_back(keep(host, "waiting: this commit failed on " + stopped->host, holds));
    } else if (!host.waits.empty()) {
      choices.push_back(keep(host, "waiting: " + host.waits, holds));
    } else {
      choices.push_back({host.host, Turn::advance, "", ""});
    }
  }
  return choices;
}

}  // namespace holdfast
