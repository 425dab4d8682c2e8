#include <controller/approval/judge.hpp>

#include <controller/plan/times.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace holdfast {

namespace {

constexpr std::int64_t clocks_differ_ms = 15 * 60'000;
constexpr std::size_t short_id = 12;

/// Judges one tag that names the commit that is wanted.
class TagJudge {
 public:
  TagJudge(const ApprovalCase& about, const ApprovalLedger& ledger, const FindSigner& find_signer,
           const CommitSigner& commit_signer)
      : about_(about), ledger_(ledger), find_signer_(find_signer), commit_signer_(commit_signer) {}

  /// Why it does not count; `good` is complete where it does.
  std::string judge(const FoundTag& tag, GoodApproval& good) {
    const TagObject& object = *tag.object;
    if (const std::string why = ledger_.why_spent(object.id); !why.empty()) return why;
    const auto seen = ledger_.seen.find(tag.name);
    if (seen != ledger_.seen.end() && !seen->second.object.empty() && seen->second.object != object.id)
      return "it was moved after it had counted";
    ReadApproval read = read_approval(object.signed_bytes.payload);
    if (!read.fault.empty()) return read.fault;
    if (read.approval.tag != tag.name) return "it was signed as \"" + printable(read.approval.tag) + "\"";
    if (read.approval.environment != about_.environment) return "it is for " + read.approval.environment;
    if (read.approval.commit != about_.commit) return "it is for commit " + read.approval.commit.substr(0, short_id);
    good = {.approval = std::move(read.approval), .object = object.id};
    if (const std::string why = judge_signature(object, good); !why.empty()) return why;
    if (const std::string why = judge_time(good); !why.empty()) return why;
    return about_.policy.not_author ? judge_authors(good) : "";
  }

 private:
  std::string judge_signature(const TagObject& object, GoodApproval& good) {
    if (about_.policy.unsigned_allowed) {
      good.who = good.approval.tagger;
      return "";
    }
    const SignedBy by = find_signer_(object.signed_bytes, about_.policy.approvers);
    good.who = by.name;
    return by.name.empty() ? by.why : "";
  }

  std::string judge_time(const GoodApproval& good) const {
    const std::int64_t made_ms = good.approval.time_s * 1000;
    if (made_ms > about_.now_ms + clocks_differ_ms) {
      return "it was made at " + utc_text(made_ms) + ", which is still to come: is a clock wrong?";
    }
    const bool in_use = std::ranges::find(ledger_.used, good.object) != ledger_.used.end();
    if (about_.policy.valid_for_ms == 0 || in_use || about_.now_ms - made_ms <= about_.policy.valid_for_ms) return "";
    return "it was made at " + utc_text(made_ms) + " and counts for " + duration_text(about_.policy.valid_for_ms);
  }

  std::string judge_authors(const GoodApproval& good) const {
    std::vector<std::string> mails;
    // What stands for an address where nobody named one is everybody's who uses that login.
    if (const std::string mail = mail_of(good.approval.tagger);
        about_.policy.unsigned_allowed || !mail.ends_with("@localhost"))
      mails.push_back(mail);
    const auto approver = std::ranges::find(about_.policy.approvers, good.who, &Signatory::name);
    if (approver != about_.policy.approvers.end())
      mails.insert(mails.end(), approver->mails.begin(), approver->mails.end());
    const std::string name = about_.policy.unsigned_allowed ? good.who.substr(0, good.who.rfind(" <")) : good.who;
    for (const Commit& commit : about_.brings.commits) {
      const bool wrote = is_author(commit.author, name, mails);
      if (wrote || is_author(commit.committer, name, mails)) {
        return good.who + " is the " + (wrote ? "author" : "committer") + " of commit " +
               commit.id.substr(0, short_id) + ", which comes with it";
      }
      if (!about_.policy.unsigned_allowed && commit_signer_(commit.id) == good.who) {
        return good.who + " signed commit " + commit.id.substr(0, short_id) + ", which comes with it";
      }
    }
    if (about_.brings.whole) return "";
    return "more commits come with it than are looked at (" + std::to_string(about_.brings.commits.size()) +
           "), so it can't be told that " + good.who +
           " wrote none of them; for this one time say `notAuthor: false`, or let fewer come at once";
  }

  const ApprovalCase& about_;
  const ApprovalLedger& ledger_;
  const FindSigner& find_signer_;
  const CommitSigner& commit_signer_;
};

/// What counted once and is not there any more, or is another: it never counts again, also where it comes back.
void note_lost(const std::vector<FoundTag>& tags, const ApprovalCase& about, ApprovalLedger& ledger,
               std::vector<std::string>& faults) {
  const std::string deleted = "it was deleted after it had counted";
  for (auto next = ledger.seen.begin(); next != ledger.seen.end();) {
    const auto here = next++;
    SeenApproval& seen = here->second;
    const auto found = std::ranges::find(tags, here->first, &FoundTag::name);
    if (found != tags.end()) {
      const bool same = found->object && found->object->id == seen.object;
      if (!same && !seen.object.empty()) ledger.spend(seen.object, "it was moved after it had counted");
      continue;
    }
    if (!seen.object.empty()) ledger.spend(std::exchange(seen.object, ""), deleted);
    if (seen.commit == about.commit) {
      faults.push_back(here->first + " does not count: " + deleted);
    } else {
      ledger.seen.erase(here);
    }
  }
}

}  // namespace

JudgedTags judge_tags(const std::vector<FoundTag>& tags, const ApprovalCase& about, ApprovalLedger& ledger,
                      const FindSigner& find_signer, const CommitSigner& commit_signer) {
  JudgedTags judged;
  note_lost(tags, about, ledger, judged.faults);
  TagJudge judge(about, ledger, find_signer, commit_signer);
  for (const FoundTag& tag : tags) {
    // A tag of another commit is the approval of another rollout; one that only claims to be ours is caught below.
    if (!tag.object || tag.object->commit != about.commit) continue;
    GoodApproval good;
    const std::string why = judge.judge(tag, good);
    if (!why.empty()) {
      judged.faults.push_back(tag.name + " does not count: " + why);
      continue;
    }
    ledger.seen[tag.name] = {.object = good.object, .commit = about.commit};
    judged.good.push_back(std::move(good));
  }
  return judged;
}

}  // namespace holdfast
