#include <controller/approval/judge.hpp>
#include <manifests/digest.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

const std::string wanted(40, 'c');
constexpr std::int64_t made_s = 1'700'000'000;

/// A signature is its signer's name here: who signed what is for signature_test.
SignedBy by_name(const SignedBytes& bytes, const std::vector<Signatory>& people) {
  for (const Signatory& one : people) {
    if (one.name == bytes.signature) return {.name = one.name};
  }
  return {.why = "its signature is by nobody who may"};
}

FoundTag tag(int number, const std::string& signer, const std::string& commit = wanted,
             const std::string& environment = "production") {
  Approval approval{.environment = environment, .commit = commit, .reason = "r", .approver = signer};
  approval.hosts["web1"] = {.digest = sha256("a"), .changes = {}};
  approval.plan = plan_digest(environment, commit, approval.hosts);
  approval.tag = approval_tag(environment, number);
  const std::string payload = "object " + commit + "\ntype commit\ntag " + approval.tag + "\ntagger " + signer + " <" +
                              signer + "@example.com> " + std::to_string(made_s) + " +0000\n\n" +
                              approval_message(approval);
  return {approval.tag,
          TagObject{.id = "object-" + std::to_string(number), .commit = commit, .signed_bytes = {payload, signer}}};
}

struct Scene {
  ApprovalCase about{
      .environment = "production",
      .commit = wanted,
      .policy = {.required = true, .approvers = {{.name = "Ada", .mails = {"ada@work"}}, {.name = "Bob"}}},
      .now_ms = made_s * 1000};
  ApprovalLedger ledger{};
  std::string commit_signer{};

  JudgedTags judge(const std::vector<FoundTag>& tags) {
    return judge_tags(tags, about, ledger, by_name, [this](const std::string&) { return commit_signer; });
  }
  void refuses(const FoundTag& one, const std::string& why) {
    const JudgedTags judged = judge({one});
    CHECK(judged.good.empty());
    REQUIRE_FALSE(judged.faults.empty());
    INFO(judged.faults.back());
    CHECK(judged.faults.back().find(one.name + " does not count: ") == 0);
    CHECK(judged.faults.back().find(why) != std::string::npos);
  }
};

}  // namespace

TEST_CASE("an approver's tag of the wanted commit counts, anybody else's does not", "[approval]") {
  Scene scene;
  const JudgedTags judged = scene.judge({tag(2, "Bob"), tag(1, "Ada")});
  REQUIRE(judged.good.size() == 2);
  CHECK(judged.good[0].who == "Bob");
  CHECK(judged.faults.empty());
  scene.ledger = {};
  scene.refuses(tag(3, "Eve"), "nobody who may");
  CHECK(scene.judge({tag(4, "Ada", std::string(40, 'd'))}).faults.empty());
  CHECK(scene.judge({{"holdfast/approve/production/5", std::nullopt}}).good.empty());
}

TEST_CASE("an approval pushed again under another name does not count", "[approval]") {
  Scene scene;
  FoundTag other = tag(1, "Ada");
  other.name = "holdfast/approve/production/7";
  scene.refuses(other, "it was signed as \"holdfast/approve/production/1\"");
  FoundTag foreign = tag(1, "Ada", wanted, "staging");
  foreign.name = "holdfast/approve/production/1";
  scene.refuses(foreign, "it was signed as");
}

TEST_CASE("an approval that was moved or deleted never counts again", "[approval]") {
  Scene scene;
  REQUIRE(scene.judge({tag(1, "Ada")}).good.size() == 1);
  FoundTag moved = tag(1, "Ada");
  moved.object->id = "another";
  CHECK(scene.judge({moved}).good.empty());
  Scene again;
  REQUIRE(again.judge({tag(1, "Ada")}).good.size() == 1);
  CHECK(again.judge({}).faults ==
        std::vector<std::string>{"holdfast/approve/production/1 does not count: it was deleted after it had counted"});
  again.refuses(tag(1, "Ada"), "deleted");
  FoundTag new_one = tag(1, "Ada");
  new_one.object->id = "given again";
  CHECK(again.judge({new_one}).good.size() == 1);
  again.ledger = ledger_from(to_text(again.ledger));
  again.refuses(tag(1, "Ada"), "deleted");
}

TEST_CASE("an approval counts for one rollout", "[approval]") {
  Scene scene;
  scene.ledger.commit = wanted;
  scene.ledger.used = {"object-1"};
  CHECK(scene.judge({tag(1, "Ada")}).good.size() == 1);
  scene.ledger.spend_used("it was used for a rollout that failed on web1");
  scene.refuses(tag(1, "Ada"), "failed on web1");
  CHECK(scene.judge({tag(2, "Ada")}).good.size() == 1);
}

TEST_CASE("an approval counts for as long as the policy says, and not before it was made", "[approval]") {
  Scene scene;
  scene.about.policy.valid_for_ms = 3'600'000;
  scene.about.now_ms += 3'600'000;
  CHECK(scene.judge({tag(1, "Ada")}).good.size() == 1);
  scene.about.now_ms += 1;
  scene.refuses(tag(1, "Ada"), "counts for");
  scene.ledger.used = {"object-1"};
  CHECK(scene.judge({tag(1, "Ada")}).good.size() == 1);
  scene.about.now_ms = made_s * 1000 - 3'600'000;
  scene.refuses(tag(1, "Ada"), "still to come");
}

TEST_CASE("nobody approves what he wrote, by name, address or key", "[approval]") {
  Scene scene;
  scene.about.brings.commits = {{.id = std::string(40, 'e'), .author = "Somebody <x@example.com>"}};
  CHECK(scene.judge({tag(1, "Ada")}).good.size() == 1);
  scene.about.policy.not_author = true;
  CHECK(scene.judge({tag(1, "Ada")}).good.size() == 1);
  for (const char* author : {"ADA <x@example.com>", "Somebody <Ada@example.com>", "Somebody <ada@work>"}) {
    scene.about.brings.commits[0].author = author;
    scene.ledger = {};
    scene.refuses(tag(1, "Ada"), "Ada is the author of commit eeeeeeeeeeee");
    CHECK(scene.judge({tag(2, "Bob")}).good.size() == 1);
  }
  scene.about.brings.commits[0].author = "Somebody <x@example.com>";
  scene.commit_signer = "Ada";
  scene.ledger = {};
  scene.refuses(tag(1, "Ada"), "Ada signed commit");
}

TEST_CASE("nobody approves what he committed for somebody else, a forge's own name is nobody", "[approval]") {
  Scene scene;
  scene.about.policy.not_author = true;
  scene.about.brings.commits = {
      {.id = std::string(40, 'e'), .author = "Somebody <x@example.com>", .committer = "GitHub <noreply@github.com>"}};
  CHECK(scene.judge({tag(1, "Ada")}).good.size() == 1);
  for (const char* committer : {"ada <x@example.com>", "Somebody <ada@example.com>", "Somebody <ADA@work>"}) {
    scene.about.brings.commits[0].committer = committer;
    scene.ledger = {};
    scene.refuses(tag(1, "Ada"), "Ada is the committer of commit eeeeeeeeeeee, which comes with it");
    CHECK(scene.judge({tag(2, "Bob")}).good.size() == 1);
  }
  scene.about.policy.not_author = false;
  scene.ledger = {};
  CHECK(scene.judge({tag(1, "Ada")}).good.size() == 1);
}

TEST_CASE("where more commits come than are looked at, nobody is known to have written none of them", "[approval]") {
  Scene scene;
  scene.about.policy.not_author = true;
  scene.about.brings.commits = {{.id = std::string(40, 'e'), .author = "Somebody <x@example.com>"}};
  scene.about.brings.whole = false;
  scene.refuses(tag(1, "Ada"), "it can't be told that Ada wrote none of them");
  scene.about.policy.not_author = false;
  CHECK(scene.judge({tag(1, "Ada")}).good.size() == 1);
}

TEST_CASE("a login's own address is nobody's in particular", "[approval]") {
  Scene scene;
  scene.about.policy.not_author = true;
  scene.about.brings.commits = {{.id = std::string(40, 'e'), .author = "root <root@localhost>"}};
  FoundTag by_root = tag(1, "Ada");
  std::string& payload = by_root.object->signed_bytes.payload;
  payload.replace(payload.find("Ada <Ada@example.com>"), 21, "root <root@localhost>");
  CHECK(scene.judge({by_root}).good.size() == 1);
  scene.about.brings.commits[0].author = "Ada <root@localhost>";
  scene.ledger = {};
  scene.refuses(by_root, "Ada is the author");
}

TEST_CASE("what comes with a commit is counted from before its first host took it", "[approval]") {
  ApprovalLedger ledger;
  ledger.want(wanted, {"one", "two", "one", ""});
  CHECK(ledger.applied == std::vector<std::string>{"one", "two"});
  ledger.want(wanted, {wanted, "two"});
  ledger = ledger_from(to_text(ledger));
  ledger.want(wanted, {wanted, wanted});
  CHECK(ledger.applied == std::vector<std::string>{"one", "two"});
  ledger.want("another", {wanted, "two"});
  CHECK(ledger.applied == std::vector<std::string>{wanted, "two"});
  const std::string old = R"({"commit": "", "used_ms": 0, "used": [], "seen": {}, "spent": [], "tried_ms": {}})";
  CHECK(ledger_from(old) == ApprovalLedger());
}

TEST_CASE("without approvers whoever made the tag approves, where the policy says so", "[approval]") {
  Scene scene;
  scene.about.policy.approvers.clear();
  scene.about.policy.unsigned_allowed = true;
  const JudgedTags judged = scene.judge({tag(1, "Eve")});
  REQUIRE(judged.good.size() == 1);
  CHECK(judged.good[0].who == "Eve <Eve@example.com>");
}

TEST_CASE("a ledger that can't be read is an empty one", "[approval]") {
  CHECK(ledger_from("{}") == ApprovalLedger{});
  CHECK(ledger_from("nonsense") == ApprovalLedger{});
  ApprovalLedger ledger{.commit = wanted,
                .used_ms = 5,
                .used = {"a"},
                .seen = {{"t", {"a", wanted}}},
                .spent = {{"b", "why"}},
                .tried_ms = {{"web1", 7}}};
  CHECK(ledger_from(to_text(ledger)) == ledger);
}
