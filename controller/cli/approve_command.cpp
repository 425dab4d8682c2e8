#include <controller/cli/approve_command.hpp>

#include <controller/approval/approval_push.hpp>
#include <controller/approval/approval_tag.hpp>
#include <controller/approval/judge.hpp>
#include <controller/approval/plan_match.hpp>
#include <controller/approval/signature.hpp>
#include <controller/approval/signing.hpp>
#include <controller/cli/plan_command.hpp>
#include <controller/git/publish.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <ostream>

namespace holdfast {

namespace {

constexpr int refused_code = 4;
constexpr std::int64_t push_ms = 120'000;
constexpr std::size_t most_commits = 2'000;

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : printable(value);
}

/// Who the tag says made it: the settings, else as for git, else the login.
Author author_of(const Context& context) {
  const ApproveConfig& config = context.config.approve;
  Author author{.name = config.name, .mail = config.mail, .time_s = context.clock.wall_ms() / 1000};
  if (author.name.empty()) author.name = from_environment("GIT_COMMITTER_NAME");
  if (author.mail.empty()) author.mail = from_environment("GIT_COMMITTER_EMAIL");
  if (author.name.empty()) author.name = context.settings.requested_by;
  if (author.mail.empty()) author.mail = author.name + "@localhost";
  const auto no_mark = [](char letter) { return letter == '<' || letter == '>' || letter == '\n'; };
  std::erase_if(author.name, no_mark);
  std::erase_if(author.mail, [&](char letter) { return no_mark(letter) || letter == ' '; });
  return author;
}

HostDigests digests_of(const EnvironmentPlan& plan) {
  HostDigests hosts;
  for (const HostPlan& host : plan.hosts) hosts[host.host] = host.error.empty() ? host_digest(host.plan) : HostDigest{};
  return hosts;
}

/// The commits that come with it, as far as this state knows what the hosts have; none where it knows of no host.
CommitRange brings(const Context& context, const Mirror& mirror, const Environment& environment,
                   const std::string& commit) {
  ApprovalLedger ledger = ledger_from(context.store->note(approvals_note(environment.name)).value_or(""));
  std::vector<std::string> live;
  for (const HostRecord& host : context.store->hosts(environment.name)) live.push_back(host.live_commit);
  ledger.want(commit, live);
  if (ledger.applied.empty()) return {};
  if (!environment.commits.since.empty()) ledger.applied.push_back(environment.commits.since);
  return commits_since(mirror, commit, ledger.applied, most_commits);
}

/// Makes the tag, and tries whether the controller would take its signature before anybody else sees it.
class Approver {
 public:
  Approver(Context& context, const Environment& environment, const SigningKey& key)
      : context_(context), environment_(environment), key_(key), mirror_(open_mirror(context.settings)) {}

  /// The approval as it was pushed; `refused` says why not. Throws Error.
  Approval approve(Approval approval, std::string& refused) {
    const Author author = author_of(context_);
    approval.tagger = author.name + " <" + author.mail + ">";
    approval.approver = author.name;
    const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(push_ms);
    push_approval(
        *mirror_, approval,
        [&](const Approval& named) {
          const std::string id = write(named, author, refused);
          return refused.empty() ? id : std::string();
        },
        deadline);
    return approval;
  }

 private:
  std::string write(const Approval& approval, const Author& author, std::string& refused) {
    SignedBytes bytes;
    const std::function<std::string(const std::string&)> signer = [&](const std::string& payload) {
      bytes = {payload, sign(key_, environment_.approval.approvers, payload)};
      return bytes.signature;
    };
    const std::string id = write_tag(*mirror_, approval.commit, approval.tag, approval_message(approval), author,
                                     key_.empty() ? std::function<std::string(const std::string&)>() : signer);
    refused =
        why_it_would_not_count({approval.tag, TagObject{.id = id, .commit = approval.commit, .signed_bytes = bytes}});
    return id;
  }

  /// Asked as the controller will ask, but for the plan, which was just made.
  std::string why_it_would_not_count(const FoundTag& tag) const {
    const ApprovalPolicy& policy = environment_.approval;
    if (policy.approvers.empty()) return "";
    const ApprovalCase about{
        .environment = environment_.name,
        .commit = tag.object->commit,
        .policy = policy,
        .brings = policy.not_author ? brings(context_, *mirror_, environment_, tag.object->commit) : CommitRange{},
        .now_ms = context_.clock.wall_ms()};
    ApprovalLedger fresh;
    const JudgedTags judged = judge_tags({tag}, about, fresh, find_signer, [&](const std::string& commit) {
      const auto signed_by = mirror_->commit_signature(commit);
      return signed_by ? find_signer(*signed_by, policy.approvers).name : std::string();
    });
    if (judged.faults.empty()) return "";
    const std::string& fault = judged.faults.front();
    const std::string intro = tag.name + " does not count: ";
    return fault.starts_with(intro) ? fault.substr(intro.size()) : fault;
  }

  Context& context_;
  const Environment& environment_;
  SigningKey key_;
  std::unique_ptr<Mirror> mirror_;
};

int refuse(const std::string& why, const DeployOptions& options, std::ostream& out) {
  if (options.format == PlanFormat::json) {
    out << to_json(Value(Map{{"version", 1}, {"environment", options.environment}, {"refused", why}})) << "\n";
  } else {
    out << "not approved: " << why << "\n";
  }
  return refused_code;
}

std::string names_of(const std::vector<Signatory>& people) {
  std::string text;
  for (const Signatory& one : people) text += (text.empty() ? "" : ", ") + one.name;
  return text;
}

/// Why this can't be approved, whoever asks; empty where it can.
std::string obstacle(const LookedAt& looked) {
  if (!looked.plan.problems.empty()) return "the commit is refused: " + looked.plan.problems.front();
  if (!looked.plan.refused.empty()) return looked.plan.refused;
  if (!looked.desired) return "there is no commit to approve";
  for (const HostPlan& host : looked.plan.hosts) {
    if (!host.plan.refusals.empty()) return host.host + " refuses the plan: " + host.plan.refusals.front().what;
  }
  const auto reached = [](const HostPlan& host) { return host.error.empty(); };
  if (std::ranges::none_of(looked.plan.hosts, reached))
    return "none of its hosts can be reached, so there is no plan to approve";
  return "";
}

}  // namespace

int approve_command(Context& context, const DeployOptions& options, std::ostream& out) {
  const Policy policy = fetch_policy(context);
  const Environment environment = find_environment(policy, options.environment);
  if (!environment.approval.required) {
    return refuse(environment.name + " asks for no approval; `approval:` in its manifest does", options, out);
  }
  const SigningKey key = options.key.empty() && options.openpgp.empty()
                             ? SigningKey{context.config.approve.key, context.config.approve.openpgp}
                             : SigningKey{options.key, options.openpgp};
  if (key.empty() && !environment.approval.approvers.empty()) {
    return refuse("it has to be signed by " + names_of(environment.approval.approvers) +
                      ": name your key with --key FILE, --key agent or --openpgp ID, or in `approve:` of the settings",
                  options, out);
  }
  EnvironmentWorker worker(context.settings, *context.sessions, *context.store, context.clock, {});
  worker.refuse(policy.refused_head);
  const LookedAt looked = look_at_environment(context, policy, environment, worker, options);
  if (options.format != PlanFormat::json) print_plan(looked.plan, options, out);
  if (const std::string why = obstacle(looked); !why.empty()) return refuse(why, options, out);

  Approval approval{.environment = environment.name,
                    .commit = looked.desired->commit.id,
                    .subject = looked.desired->commit.summary,
                    .reason = options.reason,
                    .hosts = digests_of(looked.plan)};
  approval.plan = plan_digest(approval.environment, approval.commit, approval.hosts);
  std::string refused;
  approval = Approver(context, environment, key).approve(std::move(approval), refused);
  if (!refused.empty())
    return refuse(refused + "; approvers are " + names_of(environment.approval.approvers), options, out);

  List unseen;
  for (const auto& [name, host] : approval.hosts) {
    if (host.digest.empty()) unseen.emplace_back(name);
  }
  if (options.format == PlanFormat::json) {
    out << to_json(Value(Map{{"version", 1},
                             {"environment", environment.name},
                             {"commit", approval.commit},
                             {"tag", approval.tag},
                             {"plan", approval.plan},
                             {"unseen", unseen}}))
        << "\n";
    return 0;
  }
  out << "approved " << approval.commit.substr(0, 12) << " for " << environment.name << " as " << approval.tag << "\n";
  for (const Value& host : unseen) out << host.as_text() << " was out of reach: approve again when it answers\n";
  return 0;
}

}  // namespace holdfast
