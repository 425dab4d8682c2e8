#include <controller/ssh/conversation.hpp>
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace holdfast {

namespace {

using Catch::Contains;

/// A host that says what it wants, whatever it is asked.
class Said : public Stream {
 public:
  explicit Said(std::string bytes) : bytes_(std::move(bytes)) {}
  void write(std::string_view, Deadline) override {}
  std::string read(std::size_t max, Deadline) override {
    std::string piece = bytes_.substr(at_, std::min<std::size_t>(max, 7919));
    at_ += piece.size();
    return piece;
  }
  std::string take(std::size_t max) override { return read(max, Deadline::max()); }
  void close_input() override {}
  [[nodiscard]] std::string errors() const override { return "last words\x1b[31m"; }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

std::string message(const std::string& json) { return encode_frame('J', json); }

const std::string hello =
    message(R"({"hello":{"protocol":1,"version":"v","hostname":"h","machine_id":"m","boot_id":"b","epoch":3,)"
            R"("generation":{"transaction":"t-1","bundle_digest":"d","commit":"c","confirmed_at":1},"open":null}})");
const std::string reply = message(R"({"reply":{"state":"pending"}})");

Answer answer_to(const std::string& bytes, const OnEvent& on_event = {}) {
  Conversation conversation(std::make_unique<Said>(bytes));
  return conversation.ask({{"do", "status"}}, on_event, Deadline::max());
}

/// The error, after checking that nothing can be asked any more.
std::string refusal(const std::string& bytes) {
  Conversation conversation(std::make_unique<Said>(bytes));
  std::string error;
  try {
    conversation.ask({{"do", "status"}}, {}, Deadline::max());
  } catch (const Error& refused) {
    error = refused.what();
  }
  CHECK(conversation.over());
  CHECK_THROWS_WITH(conversation.ask({{"do", "status"}}, {}, Deadline::max()), Contains("connect again"));
  return error;
}

std::string piece(const std::string& digest, char more, const std::string& bytes) {
  return encode_frame('B', digest + more + bytes);
}

}  // namespace

TEST_CASE("the hello is read when the first answer is", "[runner]") {
  Conversation conversation(std::make_unique<Said>(hello + reply));
  CHECK_FALSE(conversation.hello());
  CHECK(conversation.ask({{"do", "status"}}, {}, Deadline::max()).reply.at("state").as_text() == "pending");
  REQUIRE(conversation.hello());
  CHECK(conversation.hello()->epoch == 3);
  CHECK(conversation.hello()->generation_bundle == "d");
  CHECK(conversation.hello()->open_transaction.empty());
  CHECK_FALSE(conversation.over());
}

TEST_CASE("what a host says is made printable before anyone sees it", "[runner]") {
  const std::string nasty = R"(a\u001b[2J\u202eb)";
  std::string seen;
  const Answer answer = answer_to(hello + message(R"({"event":{"kind":"output","text":")" + nasty + R"("}})") +
                                      message(R"({"error":")" + nasty + "\"}"),
                                  [&seen](const Value& event) { seen = event.at("text").as_text(); });
  CHECK(seen == "a\\x1b[2J\\u202eb");
  CHECK(answer.error == "a\\x1b[2J\\u202eb");
}

TEST_CASE("events and unknown members are passed by, an error is a value", "[runner]") {
  int events = 0;
  const Answer answer = answer_to(hello + message(R"({"event":{"kind":"of tomorrow"}})") +
                                      message(R"({"event":{"kind":"phase","new":[1]}})") +
                                      message(R"({"reply":{"state":"x","unknown":{}}})"),
                                  [&events](const Value&) { ++events; });
  CHECK(events == 2);
  CHECK(answer.error.empty());
  CHECK(answer.reply.at("state").as_text() == "x");
}

TEST_CASE("blobs are taken with their digest verified, and stand for long members", "[runner]") {
  const std::string text = R"({"a":1})";
  const std::string digest = sha256(text);
  const Answer answer =
      answer_to(hello + piece(digest, '+', R"({"a")") + piece(digest, '.', ":1}") + encode_blob(sha256("old"), "old") +
                message(R"({"reply":{"plan_blob":")" + digest + R"("}})"));
  CHECK(answer.reply.at("plan").at("a").as_int() == 1);
  CHECK(answer.reply.find("plan_blob") == nullptr);
  REQUIRE(answer.blobs.size() == 1);
  CHECK(answer.blobs.at(sha256("old")) == "old");
}

TEST_CASE("a host that breaks the protocol is not talked to any more", "[runner]") {
  const std::string digest = sha256("x");
  CHECK_THAT(refusal(""), Contains("ended before it answered: last words\\x1b[31m"));
  CHECK_THAT(refusal(hello), Contains("ended before it answered"));
  CHECK_THAT(refusal(hello + reply.substr(0, 9)), Contains("ended before it answered"));
  CHECK_THAT(refusal(reply), Contains("expected the runner's hello"));
  CHECK_THAT(refusal(message(R"({"hello":{"protocol":2}})")), Contains("expected version 1"));
  CHECK_THAT(refusal(message(R"({"hello":{"protocol":"1"}})")), Contains("integer"));
  CHECK_THAT(refusal(message(R"({"hello":[]})")), Contains("protocol"));
  CHECK_THAT(refusal("Welcome to this host\n"), Contains("other bytes"));
  CHECK_THAT(refusal(hello + std::string("\xff\xff\xff\xffJ", 5)), Contains("at most"));
  CHECK_THAT(refusal(hello + message("{")), Contains("at byte"));
  CHECK_THAT(refusal(hello + message("[]")), Contains("another message"));
  CHECK_THAT(refusal(hello + hello), Contains("another message"));
  CHECK_THAT(refusal(hello + message(R"({"reply":7})")), Contains("expected an object"));
  CHECK_THAT(refusal(hello + message(R"({"error":7})")), Contains("text"));
  CHECK_THAT(refusal(hello + message(R"({"reply":{"plan_blob":")" + digest + "\"}}")), Contains("did not send"));
  CHECK_THAT(refusal(hello + message(R"({"reply":{"plan_blob":3}})")), Contains("text"));
  CHECK_THAT(refusal(hello + piece(digest, '.', "y")), Contains("does not have its digest"));
  CHECK_THAT(refusal(hello + piece(digest, '?', "x")), Contains("malformed"));
  CHECK_THAT(refusal(hello + piece(digest, '+', "x") + piece(sha256("z"), '.', "z")), Contains("within another"));
  CHECK_THAT(refusal(hello + message(std::string(40, '[') + std::string(40, ']'))), Contains("deep"));
}

TEST_CASE("a host that never comes to an end is cut off", "[runner]") {
  SECTION("content") {
    const std::string digest = sha256("x");
    std::string all = hello;
    for (int i = 0; i < 70; ++i) all += piece(digest, '+', std::string(1U << 20U, 'x'));
    CHECK_THAT(refusal(all), Contains("more than 67108864 bytes"));
  }
  SECTION("events") {
    std::string all = hello;
    all.reserve(40U << 20U);
    const std::string event = message(R"({"event":{}})");
    for (int i = 0; i < 1'000'001; ++i) all += event;
    CHECK_THAT(refusal(all), Contains("has no end"));
  }
}

TEST_CASE("what a host says unasked confuses no answer, and is kept", "[runner]") {
  const std::string changed = message(R"({"changed":{"why":"changed\u001b","ids":["file:/etc/motd"],"more":0}})");
  Conversation conversation(std::make_unique<Said>(hello + changed + reply));
  CHECK(conversation.ask({{"do", "status"}}, {}, Deadline::max()).reply.at("state").as_text() == "pending");
  const auto said = conversation.take_changed();
  REQUIRE(said);
  CHECK(said->at("why").as_text().find('\x1b') == std::string::npos);
  CHECK_FALSE(conversation.take_changed());

  Conversation later(std::make_unique<Said>(hello + reply + changed));
  later.ask({{"do", "status"}}, {}, Deadline::max());
  later.hear();
  CHECK(later.take_changed());
  CHECK_FALSE(later.over());
}

TEST_CASE("anything else that comes unasked ends the conversation", "[runner]") {
  for (const std::string& bytes : {reply, message("{}"), encode_frame('B', std::string(64, 'a') + ".x"), message("[]"),
                                   std::string("\xff\xff\xff\xffJ", 5)}) {
    Conversation conversation(std::make_unique<Said>(hello + reply + bytes));
    conversation.ask({{"do", "status"}}, {}, Deadline::max());
    conversation.hear();
    CHECK(conversation.over());
  }
}

}  // namespace holdfast
