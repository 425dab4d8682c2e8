#pragma once

#include <manifests/approval_policy.hpp>

#include <string>
#include <vector>

namespace holdfast {

/// What a person signs with.
struct SigningKey {
  std::string ssh{};      // a key file, or "agent": the first key of the SSH agent that an approver has
  std::string openpgp{};  // a key as gpg names it
  [[nodiscard]] bool empty() const { return ssh.empty() && openpgp.empty(); }
};

/// The armored signature of these bytes, by ssh-keygen or gpg as programs of their own. Throws Error with what they
/// say.
std::string sign(const SigningKey& key, const std::vector<Signatory>& approvers, const std::string& payload);

}  // namespace holdfast
