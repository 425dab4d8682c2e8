#pragma once

#include <controller/gates/gates.hpp>
#include <controller/rollout/host_turn.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// What people's signatures say of the commit that is wanted.
struct ApprovalAnswers {
  std::vector<GateAnswer> environment{};       // "approval" and "signed commits", where the policy asks for them
  std::map<std::string, std::string> hosts{};  // why one host waits although the others may begin
};

/// Asks for approval and signatures where a host would take another desired state: who has approved this commit, and
/// whether what they have approved is what the hosts would go through now. The hosts are asked for their plans only
/// once enough people have approved. An approval is used for one rollout; what is used is told to the audit.
ApprovalAnswers ask_approval(const EnvironmentPoll& poll, const std::vector<Choice>& choices,
                             const std::vector<HostView>& views);

/// Which tags of approvals are there and what they name, for who wants to know whether anything changed.
std::string approval_tags_state(const Mirror& mirror, const std::string& environment);

}  // namespace holdfast
