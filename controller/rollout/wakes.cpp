#include <controller/rollout/wakes.hpp>

#include <algorithm>

namespace holdfast {

std::vector<std::string> Wakes::due(std::int64_t now_ms) {
  std::vector<std::string> hosts;
  for (auto& [host, entry] : hosts_) {
    const std::int64_t refills = (now_ms - entry.refilled_ms) / refill_ms;
    entry.used -= static_cast<int>(std::min<std::int64_t>(refills, entry.used));
    entry.refilled_ms = entry.used == 0 ? now_ms : entry.refilled_ms + refills * refill_ms;
    if (!entry.asked || entry.used >= at_once || now_ms - entry.last_ms < between_ms) continue;
    entry.asked = false;
    entry.last_ms = now_ms;
    ++entry.used;
    hosts.push_back(host);
  }
  std::erase_if(hosts_, [now_ms](const auto& one) {
    return !one.second.asked && one.second.used == 0 && now_ms - one.second.last_ms >= between_ms;
  });
  return hosts;
}

}  // namespace holdfast
