#pragma once

#include <controller/api/webhook_secret.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace holdfast {

/// A webhook's request as it came: hostile until its signature was found right.
struct WebhookRequest {
  std::map<std::string, std::string> headers{};  // names in lower case
  std::string body{};
};

enum class RequestVerdict {
  genuine,
  forged,    // no signature, or one that is not ours
  malformed  // signed by us, but no JSON
};

/// Whether a delivery carries a signature of some provider at all: what has none need not be read further.
bool is_signed(const WebhookRequest& delivery);

/// Judges by the first of these that is there: `webhook-signature` (GitLab's signing token), `x-hub-signature-256`
/// (GitHub), `x-forgejo-signature`, `x-gitea-signature`, `x-holdfast-signature` (a git hook), each an HMAC-SHA-256 over
/// the body; `x-gitlab-token` (GitLab's secret token, which signs nothing). A wrong one is not made good by another.
/// Compares in constant time. The body must be JSON; nothing of it is looked at here.
RequestVerdict judge(const WebhookRequest& delivery, const WebhookSecret& secret, std::int64_t now_s);

/// Whether a genuine delivery tells of a push to one of holdfast's own branches, below refs/heads/holdfast/: nothing
/// there is followed.
bool is_of_own_branch(const WebhookRequest& delivery);

/// What tells a delivery from another; the same for one that is sent again. Empty where its sender gives it no name.
std::string name_of(const WebhookRequest& delivery);

}  // namespace holdfast
