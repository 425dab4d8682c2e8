#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// What one host would go through, as an approval binds it: no times, no epochs, nothing that differs while nothing
/// moved.
struct HostDigest {
  std::string digest{};                          // empty: the host was not seen
  std::map<std::string, std::string> changes{};  // by primitive: the begin of a digest of its change
  friend bool operator==(const HostDigest&, const HostDigest&) = default;
};
using HostDigests = std::map<std::string, HostDigest>;

/// What somebody says with a tag: this commit, in this environment, with these changes, may go to the hosts.
struct Approval {
  std::string tag{};  // holdfast/approve/ENVIRONMENT/N
  std::string environment{};
  std::string commit{};
  std::string subject{};  // of the commit, for people; not read back
  std::string plan{};     // plan_digest() of the hosts
  std::string reason{};
  std::string approver{};  // what he calls himself; who he is says the signature
  HostDigests hosts{};
  std::string tagger{};     // "Name <mail>"
  std::int64_t time_s = 0;  // of the tag, by the approver's clock
};

/// "holdfast/approve/ENVIRONMENT/" and N; nullopt for any other name.
struct ApprovalName {
  std::string environment{};
  std::int64_t number = 0;
};
std::optional<ApprovalName> approval_name(std::string_view tag);
std::string approval_tag(const std::string& environment, std::int64_t number);

/// The digest of a whole plan: of environment, commit, and every host's.
std::string plan_digest(const std::string& environment, const std::string& commit, const HostDigests& hosts);

/// The message of the tag: a subject for people, trailers for programs.
std::string approval_message(const Approval& approval);

/// The approval in the bytes of a tag object without its signature, or why there is none ("its …"). Everything in it is
/// somebody's claim; nothing is taken that is said twice, missing, unknown or contradicts itself.
struct ReadApproval {
  Approval approval{};
  std::string fault{};
};
ReadApproval read_approval(std::string_view payload);

}  // namespace holdfast
