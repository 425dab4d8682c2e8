#include <controller/notify/post.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

namespace holdfast {

namespace {

constexpr std::size_t least_secret = 16;

}  // namespace

SendResult send_webhook(const Value& to, const Notification& note, const std::atomic<bool>& stop) {
  const std::string url = secret_in(to.at("urlFile").as_text(), "the webhook's URL");
  const std::string& file = to.at("secretFile").as_text();
  const std::string secret = secret_in(file, "the webhook's secret");
  if (secret.size() < least_secret) {
    throw Error("the secret in \"" + file +
                "\" is too short: expected at least 16 bytes, such as of `openssl rand -hex 32`");
  }
  const std::string body = to_json(to_value(note));
  return post({.url = url,
               .headers = {{"X-Holdfast-Delivery", note.id},
                           {"X-Holdfast-Event", note.event},
                           {"X-Holdfast-Signature-256", "sha256=" + hmac_sha256(secret, body)}},
               .body = body,
               .ca_file = to.text_or("caFile", ""),
               .secrets = {url, path_of(url), secret}},
              stop)
      .result;
}

}  // namespace holdfast
