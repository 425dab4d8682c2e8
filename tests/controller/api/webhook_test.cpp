#include <controller/api/delivery_gate.hpp>
#include <controller/api/webhook_request.hpp>
#include <controller/git/base64.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <tests/controller/git/git_fixture.hpp>

#include <catch2/catch.hpp>

#include <sys/stat.h>

using namespace holdfast;

namespace {

const std::string secret_text = "it is a long secret of ours";
const std::string signing_key = "0123456789abcdef0123456789abcdef";
constexpr std::int64_t now_s = 1'795'248'000;

WebhookSecret secret() { return WebhookSecret(secret_text + "\nwhsec_" + to_base64(signing_key) + "\n"); }

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

WebhookRequest standard(const std::string& body, std::int64_t time_s) {
  const std::string time = std::to_string(time_s);
  const std::string mac = to_base64(bytes_of(hmac_sha256(signing_key, "msg_1." + time + "." + body)));
  return {{{"webhook-id", "msg_1"}, {"webhook-timestamp", time}, {"webhook-signature", "v1a,x v1," + mac}}, body};
}

const std::string body = R"({"ref": "refs/heads/main", "after": "0123456789012345678901234567890123456789"})";

}  // namespace

TEST_CASE("each provider's signature is taken, over these bytes and by this secret only", "[webhook]") {
  const std::string mac = hmac_sha256(secret_text, body);
  const std::string other = hmac_sha256("another secret of someone", body);
  const auto [header, prefix] =
      GENERATE(std::pair{"x-hub-signature-256", "sha256="}, std::pair{"x-gitea-signature", ""},
               std::pair{"x-forgejo-signature", ""}, std::pair{"x-holdfast-signature", "sha256="});
  const std::string begin = prefix;
  CHECK(judge({{{header, begin + mac}}, body}, secret(), now_s) == RequestVerdict::genuine);
  CHECK(judge({{{header, begin + other}}, body}, secret(), now_s) == RequestVerdict::forged);
  CHECK(judge({{{header, begin + mac}}, body + " "}, secret(), now_s) == RequestVerdict::forged);
  CHECK(judge({{{header, begin + mac.substr(0, 63)}}, body}, secret(), now_s) == RequestVerdict::forged);
  CHECK(judge({{{header, begin}}, body}, secret(), now_s) == RequestVerdict::forged);
  CHECK(judge({{{header, "sha1=" + mac}}, body}, secret(), now_s) == RequestVerdict::forged);
  CHECK(is_signed({{{header, "x"}}, ""}));
}

TEST_CASE("GitLab's token is compared whole, and its signing token signs id, time and body", "[webhook]") {
  CHECK(judge({{{"x-gitlab-token", secret_text}}, body}, secret(), now_s) == RequestVerdict::genuine);
  CHECK(judge({{{"x-gitlab-token", secret_text + "x"}}, body}, secret(), now_s) == RequestVerdict::forged);
  CHECK(judge({{{"x-gitlab-token", secret_text.substr(1)}}, body}, secret(), now_s) == RequestVerdict::forged);
  CHECK(judge({{{"x-gitlab-token", ""}}, body}, secret(), now_s) == RequestVerdict::forged);
  CHECK(judge(standard(body, now_s), secret(), now_s) == RequestVerdict::genuine);
  CHECK(judge(standard(body, now_s - 299), secret(), now_s) == RequestVerdict::genuine);
  CHECK(judge(standard(body, now_s - 301), secret(), now_s) == RequestVerdict::forged);
  CHECK(judge(standard(body, now_s + 301), secret(), now_s) == RequestVerdict::forged);
  WebhookRequest renamed = standard(body, now_s);
  renamed.headers["webhook-id"] = "msg_2";
  CHECK(judge(renamed, secret(), now_s) == RequestVerdict::forged);
  renamed.headers["x-gitlab-token"] = secret_text;
  CHECK(judge(renamed, secret(), now_s) == RequestVerdict::forged);
}

TEST_CASE("what carries no signature is forged, whatever else it carries", "[webhook]") {
  CHECK_FALSE(is_signed({{{"content-type", "application/json"}, {"x-github-event", "push"}}, body}));
  CHECK(judge({{}, body}, secret(), now_s) == RequestVerdict::forged);
  CHECK(judge({{{"x-hub-signature", "sha1=" + hmac_sha1(secret_text, body)}}, body}, secret(), now_s) ==
        RequestVerdict::forged);
}

TEST_CASE("a body that is signed and no JSON is malformed", "[webhook]") {
  for (const std::string& text : {std::string("payload=%7B%7D"), std::string(), std::string("{"), std::string("{}{}"),
                                  std::string(100'000, '['), std::string("\xff\xfe")}) {
    CHECK(judge({{{"x-hub-signature-256", "sha256=" + hmac_sha256(secret_text, text)}}, text}, secret(), now_s) ==
          RequestVerdict::malformed);
  }
}

TEST_CASE("a push to a branch of holdfast's own is known, whatever else the body is", "[webhook]") {
  const auto own = [](const std::string& text) { return is_of_own_branch({{}, text}); };
  CHECK(own(R"({"ref": "refs/heads/holdfast/audit", "after": "x"})"));
  CHECK(own(R"({"ref": "refs/heads/holdfast/revert-0123456789ab"})"));
  CHECK_FALSE(own(R"({"ref": "refs/tags/holdfast/approve/production/1"})"));  // an approval is waited for
  CHECK_FALSE(own(R"({"ref": "refs/heads/holdfast"})"));
  CHECK_FALSE(own(R"({"ref": ["refs/heads/holdfast/audit"]})"));
  CHECK_FALSE(own(R"([{"ref": "refs/heads/holdfast/audit"}])"));
  CHECK_FALSE(own("refs/heads/holdfast/audit"));
  CHECK_FALSE(own(body));
}

TEST_CASE("webhook secrets are long, ours alone, and may be two", "[webhook]") {
  const WebhookSecret both("the first of our secrets\r\n\nthe second of our secrets");
  CHECK(both.is_token("the first of our secrets"));
  CHECK(both.is_token("the second of our secrets"));
  CHECK_FALSE(both.is_token(""));
  CHECK_THROWS_WITH(WebhookSecret("too short"),
                    Catch::Contains("16 characters or more") && !Catch::Contains("too short"));
  CHECK_THROWS_WITH(WebhookSecret("\n"), Catch::Contains("there is no webhook secret"));
  CHECK_THROWS_WITH(WebhookSecret("whsec_c2hvcnQ="), Catch::Contains("base64 of 16 bytes or more"));
  const test::TempFolder folder;
  const std::string file = folder / "secret";
  CHECK_THROWS_WITH(WebhookSecret::read(file), Catch::Contains("can't be read"));
  test::write_file(file, secret_text + "\n");
  REQUIRE(::chmod(file.c_str(), 0644) == 0);
  CHECK_THROWS_WITH(WebhookSecret::read(file), Catch::Contains("can be read by everybody"));
  REQUIRE(::chmod(file.c_str(), 0640) == 0);
  CHECK(WebhookSecret::read(file).is_token(secret_text));
}

TEST_CASE("a delivery that is sent again wakes nobody", "[webhook]") {
  DeliveryGate gate;
  CHECK(gate.pass("one", "192.0.2.1", 0) == DeliveryGate::Answer::woken);
  CHECK(gate.take(0));
  CHECK_FALSE(gate.take(0));
  CHECK(gate.pass("one", "192.0.2.1", 5) == DeliveryGate::Answer::repeated);
  CHECK_FALSE(gate.take(10'000));
  CHECK(gate.pass("", "192.0.2.1", 10) == DeliveryGate::Answer::woken);
  CHECK(gate.pass("", "192.0.2.1", 10) == DeliveryGate::Answer::woken);
  CHECK(gate.take(10));
  for (int i = 0; i < 4096; ++i) gate.pass("n" + std::to_string(i), "192.0.2.1", 10);
  CHECK(gate.pass("n0", "192.0.2.1", 10) == DeliveryGate::Answer::repeated);
  CHECK(gate.pass("one", "192.0.2.1", 10) != DeliveryGate::Answer::repeated);  // bounded: the oldest are forgotten
}

TEST_CASE("a source wakes thirty times a minute, and what comes faster is not lost", "[webhook]") {
  DeliveryGate gate;
  for (int i = 0; i < 30; ++i) CHECK(gate.pass("", "192.0.2.1", 0) == DeliveryGate::Answer::woken);
  CHECK(gate.take(0));
  for (int i = 0; i < 500; ++i) CHECK(gate.pass("", "192.0.2.1", 100) == DeliveryGate::Answer::later);
  CHECK_FALSE(gate.take(1'000));
  CHECK(gate.pass("", "192.0.2.2", 1'000) == DeliveryGate::Answer::woken);
  CHECK(gate.take(1'000));
  CHECK_FALSE(gate.take(2'000));
  CHECK(gate.take(2'100));
  CHECK_FALSE(gate.take(60'000));
  CHECK(gate.pass("", "192.0.2.1", 60'000) == DeliveryGate::Answer::woken);
}
