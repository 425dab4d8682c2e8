#include <controller/approval/plan_match.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

Action file(const std::string& path, const std::string& from, const std::string& to) {
  return {.id = {PrimitiveType::file, path}, .from = {{"content", from}}, .to = {{"content", to}}};
}

}  // namespace

TEST_CASE("a plan has the same digest as long as what would change is the same", "[approval]") {
  Plan plan;
  plan.bundle_digest = "b";
  plan.digest = "of this look";
  plan.actions = {file("/a", "1", "2")};
  const HostDigest before = host_digest(plan);
  plan.digest = "of another look";
  plan.notes = {"12 GiB free"};
  plan.missing = {"x"};
  CHECK(host_digest(plan) == before);
  plan.actions[0].from["content"] = "3";
  CHECK(host_digest(plan).digest != before.digest);
  plan.actions[0].from["content"] = "1";
  plan.bundle_digest = "c";
  CHECK(host_digest(plan).digest != before.digest);
}

TEST_CASE("an approval for another plan says which host differs, and by what", "[approval]") {
  Plan then;
  then.actions = {file("/a", "1", "2"), file("/b", "1", "2")};
  Plan now = then;
  now.actions[1].from["content"] = "edited";
  now.actions.push_back(file("/c", "1", "2"));
  Approval approval;
  approval.hosts["web1"] = host_digest(then);
  approval.hosts["web3"] = {};
  CHECK(mismatch(approval, "web1", host_digest(then)).empty());
  CHECK(mismatch(approval, "web1", host_digest(now)) == "web1 differs now by file:/b, file:/c");
  CHECK(mismatch(approval, "web2", host_digest(now)) == "web2 was not part of it");
  CHECK(mismatch(approval, "web3", host_digest(now)) == "web3 was out of reach when it was given");
}
