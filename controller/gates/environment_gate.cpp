#include <controller/gates/gates.hpp>

#include <controller/plan/times.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t short_id = 12;

std::string shortfall(const std::string& host, const Undisturbed* found, const std::string& commit) {
  if (found == nullptr || found->commit.empty()) return host + " has no verified state yet";
  if (found->commit != commit) return host + " is at " + found->commit.substr(0, short_id);
  return host + " is " + found->state;
}

}  // namespace

GateAnswer ask(const EnvironmentGate& gate, const std::string& commit, const std::vector<Undisturbed>& hosts,
               std::int64_t now_ms) {
  GateAnswer answer{.gate = "environment " + gate.environment};
  const std::string duration = gate.healthy_for_ms == 0 ? "" : " for " + duration_text(gate.healthy_for_ms);
  const std::string wanted =
      gate.environment + " must be healthy at this same commit (" + commit.substr(0, short_id) + ")" + duration;
  std::int64_t since_ms = 0;
  bool any = false;
  for (const std::string& host : gate.hosts) {
    const auto found = std::ranges::find(hosts, host, &Undisturbed::host);
    const Undisturbed* one = found == hosts.end() ? nullptr : &*found;
    if (one != nullptr && one->state == "suspended") continue;  // a person has it: it keeps nobody waiting
    any = true;
    if (one == nullptr || one->commit != commit || one->state != "converged") {
      answer.why = wanted + ": " + shortfall(host, one, commit);
      return answer;
    }
    since_ms = std::max(since_ms, one->since_ms);
  }
  if (!any) {
    answer.why = wanted + ": all of its hosts are suspended";
    return answer;
  }
  answer.open = now_ms - since_ms >= gate.healthy_for_ms;
  if (!answer.open) {
    answer.why = wanted + ": it is since " + utc_text(since_ms) + ", so until " +
                 utc_text(since_ms + gate.healthy_for_ms);
    answer.found = duration_text(std::max<std::int64_t>(0, now_ms - since_ms)) + " of " +
                   duration_text(gate.healthy_for_ms);
  }
  return answer;
}

}  // namespace holdfast
