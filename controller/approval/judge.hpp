#pragma once

#include <controller/approval/approval_tag.hpp>
#include <controller/approval/commit_range.hpp>
#include <controller/approval/ledger.hpp>
#include <controller/approval/signature.hpp>
#include <controller/git/mirror.hpp>
#include <manifests/approval_policy.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// A tag whose name is that of an approval, as the mirror has it.
struct FoundTag {
  std::string name{};
  std::optional<TagObject> object{};  // empty: a lightweight tag, or one that can't be read
};

/// What approvals are judged against.
struct ApprovalCase {
  std::string environment{};
  std::string commit{};  // that is wanted
  ApprovalPolicy policy{};
  CommitRange brings{};  // the commits that come with it
  std::int64_t now_ms = 0;
};

/// One approval that counts as far as its tag goes; whether its plan is the present one is another question.
struct GoodApproval {
  Approval approval{};
  std::string object{};  // of the tag
  std::string who{};     // by the signature; what he says of himself where none is needed
};

struct JudgedTags {
  std::vector<GoodApproval> good{};   // the newest first, of different people or plans
  std::vector<std::string> faults{};  // "holdfast/approve/production/3 does not count: …", the newest first
};

/// Who signed these bytes, of these people.
using FindSigner = std::function<SignedBy(const SignedBytes&, const std::vector<Signatory>&)>;
/// The name of the approver who signed a commit; "" for none of them.
using CommitSigner = std::function<std::string(const std::string& commit)>;

/// Which of the tags (of this environment, the newest first) approve the commit. What was moved or deleted since it
/// counted is noted in the ledger. Pure but for what the functions do.
JudgedTags judge_tags(const std::vector<FoundTag>& tags, const ApprovalCase& about, ApprovalLedger& ledger,
                      const FindSigner& find_signer, const CommitSigner& commit_signer);

}  // namespace holdfast
