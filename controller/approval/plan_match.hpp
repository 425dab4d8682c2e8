#pragma once

#include <controller/approval/approval_tag.hpp>
#include <reconcilers/host/plan.hpp>

#include <string>

namespace holdfast {

/// A host's plan as approvals bind it.
HostDigest host_digest(const Plan& plan);

/// Why an approval does not hold for what one host would go through now: "web2 differs now by file:/etc/motd", "web3
/// was out of reach when it was given"; empty where it does.
std::string mismatch(const Approval& approval, const std::string& host, const HostDigest& now);

}  // namespace holdfast
