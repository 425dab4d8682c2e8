#include <controller/approval/approval_tag.hpp>
#include <manifests/digest.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

const std::string commit(40, 'c');

Approval approval() {
  Approval one{.tag = "holdfast/approve/production/3",
               .environment = "production",
               .commit = commit,
               .subject = "Add /health\nCommit: x",
               .reason = "release day\n\nEnvironment: staging",
               .approver = "Ada"};
  one.hosts["web1"] = {.digest = sha256("a"), .changes = {{"file:/etc/a b", "0123456789ab"}}};
  one.hosts["web2"] = one.hosts["web1"];
  one.hosts["web3"] = {};
  one.plan = plan_digest(one.environment, one.commit, one.hosts);
  return one;
}

std::string payload(const Approval& one) {
  return "object " + commit + "\ntype commit\ntag " + one.tag +
         "\ntagger Ada L <ada@example.com> 1700000000 +0100\n\n" + approval_message(one);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void refuses(const std::string& text, const std::string& why) {
  const ReadApproval read = read_approval(text);
  INFO(read.fault);
  CHECK(read.fault.find(why) != std::string::npos);
}

}  // namespace

TEST_CASE("an approval is read back as it was written, whatever stands in its texts", "[approval]") {
  const ReadApproval read = read_approval(payload(approval()));
  INFO(payload(approval()));
  REQUIRE(read.fault.empty());
  CHECK(read.approval.tag == "holdfast/approve/production/3");
  CHECK(read.approval.environment == "production");
  CHECK(read.approval.commit == commit);
  CHECK(read.approval.reason == "release day  Environment: staging");
  CHECK(read.approval.tagger == "Ada L <ada@example.com>");
  CHECK(read.approval.time_s == 1'700'000'000);
  CHECK(read.approval.hosts == approval().hosts);
}

TEST_CASE("an approval speaks of one environment, commit and plan only", "[approval]") {
  const std::string good = payload(approval());
  refuses(replaced(good, "tag holdfast/approve/production/3", "tag holdfast/approve/staging/3"),
          "no approval for \"production\"");
  refuses(replaced(good, "tag holdfast/approve/production/3", "tag v1.0"), "no approval for");
  refuses(replaced(good, "Environment: production", "Environment: staging"), "no approval for \"staging\"");
  refuses(replaced(good, "object cccc", "object cccd"), "another commit");
  refuses(replaced(good, "\nPlan: ", "\nPlan: " + sha256("") + "\nPlan: "), "says \"Plan\" twice");
  refuses(replaced(good, "Unseen: web3", "Unseen: web4"), "another than its hosts say");
  refuses(replaced(good, "Unseen: web3", "Unseen: web1"), "a host twice");
  refuses(replaced(good, sha256("a"), sha256("b")), "another than its hosts say");
  refuses(replaced(good, "Reason: ", "Because: "), "no trailer");
  refuses(replaced(good, "\nApprover: Ada", ""), "does not say \"Approver\"");
}

TEST_CASE("what is no annotated tag of a commit is no approval", "[approval]") {
  const std::string good = payload(approval());
  refuses("", "no message");
  refuses(replaced(good, "type commit", "type tree"), "not those of a tag of a commit");
  refuses(replaced(good, "tagger Ada", "author Ada"), "not those of an annotated tag");
  refuses(replaced(good, "> 1700000000", "> x"), "who made it when");
  refuses(replaced(good, "+0100\n\n", "+0100\nencoding x\n\n"), "not those of a tag of a commit");
  refuses(good.substr(0, good.find("\n\nEnvironment")), "no trailers");
  refuses(good + std::string(1, '\0'), "zero byte");
  refuses(good + std::string(5U << 20U, 'x'), "4 MiB");
}

TEST_CASE("no damaged approval says something else", "[approval]") {
  const std::string good = payload(approval());
  const Approval meant = read_approval(good).approval;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char letter : {'\n', ' ', ':', '0', 'f', '\xff'}) {
      std::string text = good;
      text[at] = letter;
      const ReadApproval read = read_approval(text);
      if (!read.fault.empty()) continue;
      CHECK(read.approval.commit == meant.commit);
      CHECK(read.approval.environment == meant.environment);
      CHECK(read.approval.plan == meant.plan);
    }
    (void)read_approval(good.substr(0, at));
    (void)read_approval(good.substr(at));
  }
}

TEST_CASE("the names of approvals have one form", "[approval]") {
  REQUIRE(approval_name("holdfast/approve/production/12"));
  CHECK(approval_name("holdfast/approve/production/12")->number == 12);
  CHECK(approval_tag("production", 12) == "holdfast/approve/production/12");
  for (const char* name : {"holdfast/approve/production/012", "holdfast/approve/production/0",
                           "holdfast/approve/production", "holdfast/approve//1", "holdfast/approve/production/1/2",
                           "holdfast/approve/production/9999999999", "holdfast/approve/production/-1", "v1"}) {
    INFO(name);
    CHECK_FALSE(approval_name(name));
  }
}

TEST_CASE("a thousand hosts make a tag that can be read", "[approval]") {
  Approval one = approval();
  for (int i = 0; i < 1000; ++i)
    one.hosts["host" + std::to_string(i)] = {.digest = sha256(std::to_string(i % 3)), .changes = {}};
  one.plan = plan_digest(one.environment, one.commit, one.hosts);
  const ReadApproval read = read_approval(payload(one));
  INFO(read.fault);
  CHECK(read.approval.hosts.size() == 1003);
}
