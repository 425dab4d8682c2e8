// What lasts: told when it begins and when it is over. Sources are in source_news.cpp, suspensions in
// suspension_news.cpp.
#include <controller/notify/news_parts.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::int64_t unreachable_ms = 300'000;  // shorter ones (a restart, a hiccup) are nobody's business

bool is_away(const HostRecord& record) { return record.state == "unreachable" || record.state == "unknown"; }

/// Whether its state says anything of how it is.
bool says_much(const HostRecord& record) {
  return !is_away(record) && record.state != "new" && record.state != "deploying" && record.state != "observing";
}

struct HostsTold {
  std::vector<std::string> hosts{};
  std::string reason{};
};

void add(HostsTold& told, const HostRecord& record) {
  if (told.hosts.empty()) told.reason = record.detail;
  told.hosts.push_back(record.host);
}

void tell(const HostsTold& told, const std::string& event, const RolloutRecord& rollout, const NewsInput& input,
          News& news) {
  if (told.hosts.empty()) return;
  Notification note{.event = event, .at_ms = input.now_ms, .environment = rollout.environment, .reason = told.reason};
  name_hosts(note, told.hosts);
  news.notes.push_back(std::move(note));
}

/// What differs there and is left; empty where nothing does. Commits that wait for a suspended host are no drift.
std::string drift_of(const HostRecord& record) {
  if (record.state == "drifted") return record.detail;
  const std::size_t begin =
      record.state == "suspended" ? record.detail.find("drift is left as it is: ") : std::string::npos;
  if (begin == std::string::npos) return "";
  return record.detail.substr(begin, record.detail.find("; commit ", begin) - begin);
}

/// Told once for each drift: what else drifts on the host is another one.
void tell_drift(const HostRecord& record, const ToldKey& what, const NewsInput& input, HostsTold& drifted, News& news) {
  const std::string told = told_key(input, what);
  const std::string drift = drift_of(record);
  if (!drift.empty() && told != drift) {
    add(drifted, record);
    news.told[what] = {drift, input.now_ms};
  } else if (record.state == "converged" && !told.empty()) {
    news.told[what] = {"", input.now_ms};
  }
}

}  // namespace

bool waits_whole(const RolloutRecord& rollout, const NewsInput& input) {
  const auto waits = input.waits.find(rollout.environment);
  return waits != input.waits.end() && std::ranges::any_of(waits->second, [&](const Wait& one) {
           return one.host.empty() && one.commit == rollout.commit;
         });
}

void tell_waits(const RolloutRecord& rollout, const NewsInput& input, News& news) {
  const auto waits = input.waits.find(rollout.environment);
  if (waits == input.waits.end()) return;
  const ToldKey what = {rollout.environment, "", "waiting"};
  HostsTold told;
  for (const Wait& one : waits->second) {
    if (one.commit != rollout.commit) continue;
    told.reason += (told.reason.empty() ? "" : "; ") + (one.host.empty() ? "" : one.host + ": ") + one.why;
    if (!one.host.empty()) told.hosts.push_back(one.host);
  }
  if (told.reason.empty() || told_key(input, what) == rollout.commit) return;
  Notification note{.event = "waiting",
                    .at_ms = input.now_ms,
                    .environment = rollout.environment,
                    .revision = rollout.commit,
                    .subject = rollout.subject,
                    .author = rollout.author,
                    .reason = told.reason};
  name_hosts(note, waits_whole(rollout, input) ? rollout.hosts : told.hosts);
  news.notes.push_back(std::move(note));
  news.told[what] = {rollout.commit, input.now_ms};
}

void tell_hosts(const RolloutRecord& rollout, const NewsInput& input, News& news) {
  HostsTold away;
  HostsTold back;
  HostsTold contended;
  HostsTold drifted;
  HostsTold failed;
  HostsTold well;
  const auto records = input.hosts.find(rollout.environment);
  if (records == input.hosts.end()) return;
  for (const HostRecord& record : records->second) {
    if (std::ranges::find(rollout.hosts, record.host) == rollout.hosts.end()) continue;
    const ToldKey reach = {rollout.environment, record.host, "reach"};
    const ToldKey fight = {rollout.environment, record.host, "contended"};
    const std::string reach_told = told_key(input, reach);
    const std::string fight_told = told_key(input, fight);
    if (is_away(record) && reach_told.empty() && input.now_ms - record.changed_ms >= unreachable_ms) {
      add(away, record);
      news.told[reach] = {"away", input.now_ms};
    } else if (!is_away(record) && record.state != "new" && !reach_told.empty()) {
      back.hosts.push_back(record.host);
      news.told[reach] = {"", input.now_ms};
    }
    if (record.state == "contended" && fight_told.empty()) {
      add(contended, record);
      news.told[fight] = {"contended", input.now_ms};
    } else if (record.state == "converged" && !fight_told.empty()) {
      news.told[fight] = {"", input.now_ms};
    }
    const ToldKey failure = {rollout.environment, record.host, "failed"};
    const std::string failure_told = told_key(input, failure);
    if (record.state == "failed" && failure_told.empty()) {
      add(failed, record);
      news.told[failure] = {"failed", input.now_ms};
    } else if (record.state != "failed" && says_much(record) && !failure_told.empty()) {
      well.hosts.push_back(record.host);
      news.told[failure] = {"", input.now_ms};
    }
    tell_drift(record, {rollout.environment, record.host, "drifted"}, input, drifted, news);
  }
  tell(away, "unreachable", rollout, input, news);
  tell(back, "reachable", rollout, input, news);
  tell(contended, "contended", rollout, input, news);
  tell(drifted, "drifted", rollout, input, news);
  tell(failed, "failed", rollout, input, news);
  tell(well, "recovered", rollout, input, news);
}

}  // namespace holdfast
