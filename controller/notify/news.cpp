// Deployments that ended: what failed, what was repaired, and the environments whose hosts all have their commit. What
// lasts is in standing_news.cpp.
#include <controller/notify/news_parts.hpp>

#include <controller/plan/kept_plan.hpp>
#include <manifests/digest.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace holdfast {

namespace {

constexpr std::int64_t repairs_every_ms = 600'000;  // one message per environment
constexpr std::int64_t too_old_ms = 86'400'000;
constexpr std::size_t most_ids = 5;

std::string event_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::rolled_back:
      return "rolled-back";
    case Outcome::rollback_failed:
      return "rollback-failed";
    case Outcome::refused:
      return "refused";
    case Outcome::repaired:
      return "repaired";
    default:
      return "deployed";
  }
}

/// "file:/etc/motd, unit:nginx.service and 3 more".
std::string repaired_ids(const std::vector<const EndedDeployment*>& repairs) {
  std::set<std::string> ids;
  for (const EndedDeployment* one : repairs) {
    for (const Action& action : kept_plan(one->deployment.plan).plan.actions) ids.insert(to_text(action.id));
  }
  std::string text;
  std::size_t named = 0;
  for (const std::string& id : ids) {
    if (named == most_ids) break;
    text += (named++ == 0 ? "" : ", ") + id;
  }
  if (ids.size() > named) text += " and " + std::to_string(ids.size() - named) + " more";
  return text;
}

/// One notification of deployments that ended alike; the first one gives the words.
Notification told_together(const std::vector<const EndedDeployment*>& all) {
  const Deployment& first = all.front()->deployment;
  Notification note{.event = event_of(first.outcome),
                    .environment = first.environment,
                    .revision = first.commit,
                    .subject = first.subject,
                    .author = first.author,
                    .reason = first.reason,
                    .journal = all.front()->journal};
  std::set<std::string> hosts;
  std::int64_t begun_ms = first.begun_ms;
  for (const EndedDeployment* one : all) {
    hosts.insert(one->deployment.host);
    begun_ms = std::min(begun_ms, one->deployment.begun_ms);
    note.at_ms = std::max(note.at_ms, one->ended.at_ms);
  }
  note.took_ms = std::max<std::int64_t>(0, note.at_ms - begun_ms);
  name_hosts(note, {hosts.begin(), hosts.end()});
  return note;
}

/// A host that can't be reached for a while meets the same refusal again when it is back.
bool refused_before(const EndedDeployment& one, const NewsInput& input, News& news) {
  if (one.deployment.outcome != Outcome::refused) return false;
  const ToldKey what = {one.deployment.environment, one.deployment.host, "refused"};
  const std::string key = one.deployment.commit + " " + sha256(one.deployment.reason).substr(0, 16);
  const auto known = input.told.find(what);
  if (known != input.told.end() && known->second.key == key) return true;
  news.told[what] = {key, input.now_ms};
  return false;
}

void tell_failures(const NewsInput& input, News& news) {
  std::map<std::tuple<std::string, std::string, Outcome>, std::vector<const EndedDeployment*>> alike;
  for (const EndedDeployment& one : input.ended) {
    const Outcome outcome = one.deployment.outcome;
    if (outcome == Outcome::deployed || outcome == Outcome::repaired) continue;
    news.taken.push_back(one.ended.id);
    // What was undone and is not held was not the commit's fault: it is planned again.
    const bool passing = outcome == Outcome::rolled_back && !one.held;
    const bool known = event_of(outcome) == "deployed" || refused_before(one, input, news);  // or running again by now
    if (!passing && !known) alike[{one.deployment.environment, one.deployment.commit, outcome}].push_back(&one);
  }
  for (const auto& [what, all] : alike) news.notes.push_back(told_together(all));
}

void tell_repairs(const NewsInput& input, News& news) {
  std::map<std::string, std::vector<const EndedDeployment*>> repairs;
  for (const EndedDeployment& one : input.ended) {
    if (one.deployment.outcome == Outcome::repaired) repairs[one.deployment.environment].push_back(&one);
  }
  for (const auto& [environment, all] : repairs) {
    const ToldKey what = {environment, "", "repaired"};
    const auto last = input.told.find(what);
    if (last != input.told.end() && input.now_ms - last->second.at_ms < repairs_every_ms) continue;  // told together
    Notification note = told_together(all);
    note.reason = repaired_ids(all);
    note.subject.clear();
    note.author.clear();
    note.took_ms = 0;
    news.notes.push_back(std::move(note));
    news.told[what] = {"", input.now_ms};
    for (const EndedDeployment* one : all) news.taken.push_back(one->ended.id);
  }
}

bool all_have(const RolloutRecord& rollout, const std::vector<HostRecord>& records) {
  std::map<std::string, const HostRecord*> by_name;
  for (const HostRecord& record : records) by_name[record.host] = &record;
  bool any = false;  // suspended hosts keep nobody waiting, but are none that has it
  const bool rest = std::ranges::all_of(rollout.hosts, [&](const std::string& host) {
    const auto found = by_name.find(host);
    if (found == by_name.end()) return false;
    const HostRecord& record = *found->second;
    if (record.state == "suspended") return true;
    any = true;
    return record.live_commit == rollout.commit && (record.state == "converged" || record.state == "degraded" ||
                                                    record.state == "contended" || record.state == "drifted");
  });
  return any && rest;
}

Notification about_rollout(const RolloutRecord& rollout, const std::string& event, std::int64_t at_ms) {
  Notification note{.event = event,
                    .at_ms = at_ms,
                    .environment = rollout.environment,
                    .revision = rollout.commit,
                    .subject = rollout.subject,
                    .author = rollout.author};
  name_hosts(note, rollout.hosts);
  return note;
}

/// Deployments of a rollout wait to be told until all of its hosts have it; those of one that something else took the
/// place of are never told.
void tell_rollout(const RolloutRecord& rollout, const NewsInput& input, News& news) {
  const auto hosts = input.hosts.find(rollout.environment);
  const bool done = hosts != input.hosts.end() && all_have(rollout, hosts->second);
  std::vector<const EndedDeployment*> deployed;
  for (const EndedDeployment& one : input.ended) {
    const bool its = one.deployment.environment == rollout.environment && one.deployment.outcome == Outcome::deployed;
    if (its && one.deployment.commit == rollout.commit) deployed.push_back(&one);
    if (its && (done || one.deployment.commit != rollout.commit)) news.taken.push_back(one.ended.id);
  }
  const ToldKey what = {rollout.environment, "", "rollout"};
  const auto last = input.told.find(what);
  const std::string told = last == input.told.end() ? "" : last->second.key;
  const std::string begun = rollout.commit + " " + std::to_string(rollout.since_ms);
  if (done && (told != begun + " done" || !deployed.empty())) {
    news.notes.push_back(deployed.empty() ? about_rollout(rollout, "current", input.now_ms) : told_together(deployed));
    news.told[what] = {begun + " done", input.now_ms};
  } else if (!done && !told.starts_with(begun) && !waits_whole(rollout, input)) {
    news.notes.push_back(about_rollout(rollout, "deploying", rollout.since_ms));
    news.told[what] = {begun, input.now_ms};
  }
}

/// What nobody could be told of for a day, and deployments of environments that are gone.
void forget_old(const NewsInput& input, News& news) {
  for (const EndedDeployment& one : input.ended) {
    const bool taken = std::ranges::find(news.taken, one.ended.id) != news.taken.end();
    if (!taken && input.now_ms - one.ended.at_ms > too_old_ms) news.taken.push_back(one.ended.id);
  }
}

}  // namespace

std::string told_key(const NewsInput& input, const ToldKey& what) {
  const auto found = input.told.find(what);
  return found == input.told.end() ? "" : found->second.key;
}

void name_hosts(Notification& note, const std::vector<std::string>& hosts) {
  note.hosts = hosts;
  note.host_count = static_cast<std::int64_t>(hosts.size());
}

std::vector<std::string> journal_of(const std::vector<DeploymentEvent>& events) {
  std::vector<std::string> lines;
  for (const DeploymentEvent& event : events) {
    const std::size_t bar = event.text.find(" | ");
    if (bar != std::string::npos && event.text.find(' ') == bar) lines.push_back(event.text);
  }
  return lines;
}

News news_of(const NewsInput& input) {
  News news;
  tell_failures(input, news);
  tell_repairs(input, news);
  for (const RolloutRecord& rollout : input.rollouts) {
    tell_rollout(rollout, input, news);
    tell_waits(rollout, input, news);
    tell_hosts(rollout, input, news);
    tell_overtaken(rollout, input, news);
  }
  for (const EnvironmentRecord& environment : input.environments) tell_source(environment, input, news);
  if (input.root) tell_root(*input.root, input, news);
  tell_suspensions(input, news);
  forget_old(input, news);
  return news;
}

}  // namespace holdfast
