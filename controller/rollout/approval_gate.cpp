#include <controller/rollout/approval_gate.hpp>

#include <controller/approval/judge.hpp>
#include <controller/approval/plan_match.hpp>
#include <controller/audit/audit.hpp>
#include <controller/rollout/parallel.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>

#include <algorithm>
#include <mutex>
#include <set>

namespace holdfast {

namespace {

constexpr std::size_t most_tags = 200;  // of an environment: those with the highest numbers
constexpr std::size_t most_commits = 2'000;
constexpr std::size_t most_faults = 3;
constexpr std::size_t short_id = 12;
constexpr std::size_t audit_id_digits = 32;
constexpr std::int64_t look_ms = 15'000;
constexpr std::int64_t dead_again_ms = 60'000;  // between two looks at a host that is out of reach
constexpr std::size_t looked_at_once = 64;

/// Judging the same bytes with the same keys gives the same answer, for all environments of this process.
SignatureCache& signatures() {
  static SignatureCache cache;
  return cache;
}

std::vector<std::pair<std::int64_t, std::string>> tags_of(const Mirror& mirror, const std::string& environment) {
  std::vector<std::pair<std::int64_t, std::string>> tags;
  for (const std::string& name : mirror.tag_names()) {
    const auto approval = approval_name(name);
    if (approval && approval->environment == environment) tags.emplace_back(approval->number, name);
  }
  std::ranges::sort(tags, std::greater<>());
  if (tags.size() > most_tags) tags.resize(most_tags);
  return tags;
}

std::string joined(const std::vector<std::string>& texts, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(texts.size(), most); ++i) text += (i == 0 ? "" : "; ") + texts[i];
  if (texts.size() > most) text += "; and " + std::to_string(texts.size() - most) + " more";
  return text;
}

class ApprovalGate {
 public:
  ApprovalGate(const EnvironmentPoll& poll, const std::vector<Choice>& choices, const std::vector<HostView>& views)
      : poll_(poll),
        environment_(poll.job.environment),
        commit_(poll.desired->commit),
        store_(poll.tools.host.store),
        note_(approvals_note(environment_.name)),
        before_(ledger_from(store_.note(note_).value_or(""))),
        ledger_(before_) {
    std::vector<std::string> live;
    for (std::size_t i = 0; i < views.size(); ++i) {
      if (choices[i].turn == Turn::advance) advancing_.push_back(views[i]);
      if (choices[i].turn == Turn::look && views[i].record.live_commit != commit_.id) suspended_ = true;
      live.push_back(views[i].record.live_commit);
    }
    ledger_.want(commit_.id, live);
  }

  ApprovalAnswers ask() {
    ApprovalAnswers answers;
    spend_what_is_over();
    if (!advancing_.empty() && !poll_.by_hand) {
      if (environment_.commits.required) answers.environment.push_back(ask_signatures());
      if (environment_.approval.required) answers.environment.push_back(ask_approvals(answers.hosts));
    }
    if (ledger_ != before_) store_.put_note(note_, to_text(ledger_));
    return answers;
  }

 private:
  /// One approval, one rollout: its end is that nobody is left, that it failed, or that something else is wanted.
  void spend_what_is_over() {
    if (ledger_.used.empty()) return;
    if (ledger_.commit != commit_.id) return ledger_.spend_used("another commit was wanted after it had been used");
    for (const Deployment& one : store_.deployments(environment_.name, "", static_cast<int>(most_tags))) {
      const bool failed = one.outcome == Outcome::rolled_back || one.outcome == Outcome::rollback_failed;
      if (failed && one.commit == commit_.id && one.begun_ms >= ledger_.used_ms) {
        return ledger_.spend_used("it was used for a rollout that failed on " + one.host);
      }
    }
    if (advancing_.empty() && !suspended_) ledger_.spend_used("it was used for a rollout that is over");
  }

  CommitRange brings() const {
    std::vector<std::string> ends = ledger_.applied;
    if (!environment_.commits.since.empty()) ends.push_back(environment_.commits.since);
    const std::scoped_lock lock(poll_.tools.git);
    return commits_since(poll_.tools.mirror, commit_.id, ends, most_commits);
  }

  SignedBy signer_of(const std::string& commit, const std::vector<Signatory>& people) const {
    std::optional<SignedBytes> bytes;
    {
      const std::scoped_lock lock(poll_.tools.git);
      bytes = poll_.tools.mirror.commit_signature(commit);
    }
    return bytes ? signatures().find(*bytes, people) : SignedBy{.why = "it is not signed"};
  }

  [[nodiscard]] GateAnswer ask_signatures() const {
    GateAnswer answer{.gate = "signed commits"};
    const CommitRange range = brings();
    for (const Commit& commit : range.commits) {
      const SignedBy by = signer_of(commit.id, commit_signers(environment_.approval, environment_.commits));
      if (!by.name.empty()) continue;
      answer.why = "every commit must be signed by a signer of " + environment_.name + ": " +
                   commit.id.substr(0, short_id) + " by " + commit.author + ": " + by.why;
      return answer;
    }
    answer.open = range.whole;
    if (!range.whole) {
      answer.why = "every commit must be signed by a signer of " + environment_.name + ", but more than " +
                   std::to_string(most_commits) + " come with it: name in `signed.since` the one to begin behind";
    }
    return answer;
  }

  std::vector<FoundTag> found_tags() const {
    const std::scoped_lock lock(poll_.tools.git);
    std::vector<FoundTag> tags;
    for (const auto& [number, name] : tags_of(poll_.tools.mirror, environment_.name)) {
      tags.push_back({name, poll_.tools.mirror.tag_object(name)});
    }
    return tags;
  }

  GateAnswer ask_approvals(std::map<std::string, std::string>& waiting) {
    const ApprovalCase about{.environment = environment_.name,
                             .commit = commit_.id,
                             .policy = environment_.approval,
                             .brings = environment_.approval.not_author ? brings() : CommitRange{},
                             .now_ms = poll_.tools.host.clock.wall_ms()};
    judged_ = judge_tags(
        found_tags(), about, ledger_,
        [](const SignedBytes& bytes, const std::vector<Signatory>& people) { return signatures().find(bytes, people); },
        [this](const std::string& commit) { return signer_of(commit, environment_.approval.approvers).name; });
    GateAnswer answer{.gate = "approval"};
    std::set<std::string> people;
    for (const GoodApproval& one : judged_.good) people.insert(one.who);
    if (people.size() < needed()) {
      answer.why = asks(people);
      return answer;
    }
    compare_plans(answer, waiting);
    return answer;
  }

  [[nodiscard]] std::size_t needed() const { return static_cast<std::size_t>(environment_.approval.count); }

  [[nodiscard]] std::string command() const {
    return "`holdfast approve " + environment_.name + " " + commit_.id.substr(0, short_id) + " --reason TEXT`";
  }

  [[nodiscard]] std::string asks(const std::set<std::string>& people) const {
    std::string text = "it must be approved";
    if (needed() > 1) text += " by " + std::to_string(needed()) + " people";
    text += ": " + command();
    for (auto person = people.begin(); person != people.end(); ++person) {
      text += (person == people.begin() ? "; approved so far by " : ", ") + *person;
    }
    return judged_.faults.empty() ? text : text + "; " + joined(judged_.faults, most_faults);
  }

  /// Before anything has begun one host that moved stops all; from then on it stops itself.
  void compare_plans(GateAnswer& answer, std::map<std::string, std::string>& waiting) {
    const bool begun = ledger_.commit == commit_.id && !ledger_.used.empty();
    std::map<std::string, std::string> away;
    std::vector<std::string> differ;
    std::vector<std::string> opened;
    std::map<std::string, std::vector<std::string>> used;  // objects, and the hosts that each holds for
    look();
    for (const HostView& host : advancing_) {
      const auto plan = plans_.find(host.host);
      if (plan == plans_.end()) {
        if (begun && in_progress(host)) continue;
        away[host.host] = "approved, but it was out of reach since: its plan is looked at when it answers";
        continue;
      }
      std::string why = matches(host, plan->second, used);
      if (!why.empty() && begun && in_progress(host)) why.clear();
      if (why.empty())
        opened.push_back(host.host);
      else if (begun)
        waiting[host.host] = why;
      else
        differ.push_back(why);
    }
    answer.open = differ.empty() && (begun || !opened.empty());
    if (!differ.empty())
      answer.why = joined(differ, most_faults);
    else if (!answer.open)
      answer.why = "approved, but none of its hosts can be reached to look at its plan";
    if (!answer.open) return;
    waiting.merge(away);
    for (const auto& [object, hosts] : used) use(object, hosts);
  }

  /// Its plan differs because it is on its way already: what was begun there ends in its own way.
  [[nodiscard]] bool in_progress(const HostView& host) const {
    const std::vector<Deployment> newest = store_.deployments(environment_.name, host.host, 1);
    return !newest.empty() && newest.front().commit == commit_.id && newest.front().begun_ms >= ledger_.used_ms;
  }

  [[nodiscard]] bool is_running(const HostView& host) const {
    const std::vector<Deployment> newest = store_.deployments(environment_.name, host.host, 1);
    return !newest.empty() && newest.front().ended_ms == 0 && in_progress(host);
  }

  /// Why the approvals do not hold for this host; empty where enough people's do, which are then in `used`.
  std::string matches(const HostView& host, const HostDigest& now,
                      std::map<std::string, std::vector<std::string>>& used) const {
    std::set<std::string> people;
    std::vector<std::string> objects;
    std::string why;
    for (const GoodApproval& one : judged_.good) {
      const std::string differs = mismatch(one.approval, host.host, now);
      if (differs.empty()) {
        people.insert(one.who);
        objects.push_back(one.object);
      } else if (why.empty()) {
        why = "approved by " + one.who + " for another plan (" + one.approval.tag + "): " + differs;
      }
    }
    if (people.size() >= needed()) {
      for (const std::string& object : objects) used[object].push_back(host.host);
      return "";
    }
    return why + "; approve again: " + command();
  }

  /// What the hosts would go through now, of those that can be asked.
  void look() {
    const std::int64_t now_ms = poll_.tools.host.clock.wall_ms();
    std::vector<std::string> hosts;
    for (const HostView& host : advancing_) {
      const auto tried = ledger_.tried_ms.find(host.host);
      const bool again = tried == ledger_.tried_ms.end() || now_ms - tried->second >= dead_again_ms;
      if (is_running(host)) continue;
      if (host.record.state != "unreachable" || again) hosts.push_back(host.host);
    }
    std::set<std::string> silent;
    std::mutex adding;
    in_parallel(hosts, looked_at_once, [&](const std::string& name) {
      const std::optional<HostDigest> digest = look_at(name);
      const std::scoped_lock lock(adding);
      if (digest)
        plans_.emplace(name, *digest);
      else
        silent.insert(name);
    });
    for (const std::string& host : hosts) {
      if (silent.contains(host))
        ledger_.tried_ms[host] = now_ms;
      else
        ledger_.tried_ms.erase(host);
    }
  }

  [[nodiscard]] std::optional<HostDigest> look_at(const std::string& name) const {
    try {
      const HostDesired wanted = poll_.desired->host(name);
      const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(look_ms);
      return poll_.tools.host.sessions.ask(wanted.host, deadline, [&](RunnerClient& client) {
        return host_digest(client.plan(wanted.lowered.bundle, {.known = true, .digest = wanted.digest}, deadline).plan);
      });
    } catch (const Error&) {
      return std::nullopt;  // its own turn tells why
    }
  }

  void use(const std::string& object, const std::vector<std::string>& hosts) {
    if (std::ranges::find(ledger_.used, object) != ledger_.used.end()) return;
    const auto found = std::ranges::find(judged_.good, object, &GoodApproval::object);
    const Approval& approval = found->approval;
    const std::int64_t now_ms = poll_.tools.host.clock.wall_ms();
    if (ledger_.used.empty()) ledger_.used_ms = now_ms;
    ledger_.commit = commit_.id;
    ledger_.used.push_back(object);
    store_.add_audit(
        {.kind = "approval",
         .environment = environment_.name,
         .revision = commit_.id,
         .hosts = hosts,
         .outcome = "approved",
         .by = found->who,
         .approved_by = {found->who},
         .reason = approval.reason,
         .subject = commit_.summary,
         .at_ms = now_ms,
         .record = Map{{"tag", approval.tag}, {"object", object}, {"plan", approval.plan}, {"made_s", approval.time_s}},
         .id = sha256("approval " + environment_.name + " " + object).substr(0, audit_id_digits)});
    const OnProgress& tell = poll_.tools.host.on_progress;
    if (tell) {
      tell({Progress::Level::good, environment_.name, "",
            commit_.id.substr(0, short_id) + " is approved by " + found->who + " (" + approval.tag +
                "): " + approval.reason});
    }
  }

  const EnvironmentPoll& poll_;
  const Environment& environment_;
  const Commit& commit_;
  Store& store_;
  std::string note_;
  ApprovalLedger before_;
  ApprovalLedger ledger_;
  std::vector<HostView> advancing_{};
  bool suspended_ = false;  // some host is, which is to take it as well
  JudgedTags judged_{};
  std::map<std::string, HostDigest> plans_{};
};

}  // namespace

ApprovalAnswers ask_approval(const EnvironmentPoll& poll, const std::vector<Choice>& choices,
                             const std::vector<HostView>& views) {
  if (!poll.job.environment.approval.required && !poll.job.environment.commits.required) return {};
  return ApprovalGate(poll, choices, views).ask();
}

std::string approval_tags_state(const Mirror& mirror, const std::string& environment) {
  std::string state;
  for (const auto& [number, name] : tags_of(mirror, environment)) {
    const auto object = mirror.tag_object(name);
    state += std::to_string(number) + " " + (object ? object->id : "") + "\n";
  }
  return state.empty() ? "" : sha256(state);
}

}  // namespace holdfast
