#include <controller/api/webhook_request.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <array>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace holdfast {

namespace {

constexpr std::size_t max_name_bytes = 200;
constexpr std::int64_t most_skew_s = 300;
constexpr JsonLimits json_limits{.bytes = 1U << 20U, .depth = 32};

constexpr std::string_view own_branches = "refs/heads/holdfast/";
constexpr const char* standard_signature = "webhook-signature";
constexpr const char* standard_id = "webhook-id";
constexpr const char* standard_time = "webhook-timestamp";
constexpr const char* gitlab_token = "x-gitlab-token";

struct BodySignature {
  const char* header;
  std::string_view prefix;
};
constexpr std::array<BodySignature, 4> body_signatures = {{{"x-hub-signature-256", "sha256="},
                                                           {"x-forgejo-signature", ""},
                                                           {"x-gitea-signature", ""},
                                                           {"x-holdfast-signature", "sha256="}}};
constexpr std::array<const char*, 7> names = {standard_id,          "x-github-delivery",   "x-forgejo-delivery",
                                              "x-gitea-delivery",   "x-gitlab-event-uuid", "idempotency-key",
                                              "x-holdfast-delivery"};

const std::string* find(const WebhookRequest& delivery, const char* header) {
  const auto found = delivery.headers.find(header);
  return found == delivery.headers.end() ? nullptr : &found->second;
}

bool is_recent(const std::string& text, std::int64_t now_s) {
  if (text.empty() || text.size() > 12 || text.find_first_not_of("0123456789") != std::string::npos) return false;
  return std::llabs(std::strtoll(text.c_str(), nullptr, 10) - now_s) <= most_skew_s;
}

/// The form of "Standard Webhooks": several signatures may stand there while keys are changed.
bool has_standard_signature(const WebhookRequest& delivery, const WebhookSecret& secret, const std::string& signatures,
                            std::int64_t now_s) {
  const std::string* id = find(delivery, standard_id);
  const std::string* time = find(delivery, standard_time);
  if (id == nullptr || time == nullptr || !is_recent(*time, now_s)) return false;
  return secret.has_signed(*id + "." + *time + "." + delivery.body, signatures);
}

bool is_genuine(const WebhookRequest& delivery, const WebhookSecret& secret, std::int64_t now_s) {
  if (const std::string* found = find(delivery, standard_signature)) {
    return has_standard_signature(delivery, secret, *found, now_s);
  }
  for (const BodySignature& one : body_signatures) {
    const std::string* found = find(delivery, one.header);
    if (found == nullptr) continue;
    return found->starts_with(one.prefix) && secret.is_mac(delivery.body, found->substr(one.prefix.size()));
  }
  const std::string* token = find(delivery, gitlab_token);
  return token != nullptr && secret.is_token(*token);
}

}  // namespace

bool is_signed(const WebhookRequest& delivery) {
  if (find(delivery, standard_signature) != nullptr || find(delivery, gitlab_token) != nullptr) return true;
  for (const BodySignature& one : body_signatures) {
    if (find(delivery, one.header) != nullptr) return true;
  }
  return false;
}

RequestVerdict judge(const WebhookRequest& delivery, const WebhookSecret& secret, std::int64_t now_s) {
  if (!is_genuine(delivery, secret, now_s)) return RequestVerdict::forged;
  try {
    (void)from_json(delivery.body, json_limits);
    return RequestVerdict::genuine;
  } catch (const Error&) {
    return RequestVerdict::malformed;
  }
}

bool is_of_own_branch(const WebhookRequest& delivery) {
  try {
    const Value body = from_json(delivery.body, json_limits);
    const Value* ref = body.is_map() ? body.find("ref") : nullptr;
    return ref != nullptr && ref->is_text() && ref->as_text().starts_with(own_branches);
  } catch (const Error&) {
    return false;
  }
}

std::string name_of(const WebhookRequest& delivery) {
  for (const char* header : names) {
    const std::string* found = find(delivery, header);
    if (found != nullptr && !found->empty()) return std::string(header) + " " + found->substr(0, max_name_bytes);
  }
  return "";
}

}  // namespace holdfast
