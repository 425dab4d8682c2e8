#include <controller/rollout/suspension.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

constexpr std::int64_t now = 1'000'000;

Suspension of(const std::string& host, const std::string& app = "", std::int64_t until = now + 1) {
  return {"e", host, app, "alice", "tests", now - 10, until};
}

Origin at(const std::string& file, const std::string& resource = "File/motd") { return {resource, {file, 1, 1}}; }

}  // namespace

TEST_CASE("an environment's suspension is every host's, a host's only its own", "[rollout][suspend]") {
  CHECK(suspension_of({of("")}, "a", now));
  CHECK(suspension_of({of("a")}, "a", now));
  CHECK_FALSE(suspension_of({of("a")}, "b", now));
  CHECK_FALSE(suspension_of({of("", "cvd")}, "a", now));
  CHECK(suspended_apps({of("", "cvd"), of("b", "quiz"), of("a", "cvd")}, "a", now) == std::vector<std::string>{"cvd"});
}

TEST_CASE("a suspension whose time is over keeps nothing from being changed", "[rollout][suspend]") {
  CHECK_FALSE(suspension_of({of("a", "", now)}, "a", now));
  CHECK(suspended_apps({of("a", "cvd", now)}, "a", now).empty());
}

TEST_CASE("an application is a folder, a file, or one resource", "[rollout][suspend]") {
  CHECK(belongs_to(at("deploy/cvd/app.yaml"), "cvd"));
  CHECK(belongs_to(at("deploy/cvd/app.yaml"), "deploy/cvd"));
  CHECK(belongs_to(at("deploy/cvd.yaml"), "cvd"));
  CHECK(belongs_to(at("deploy/cvd.yaml"), "deploy/cvd.yaml"));
  CHECK(belongs_to(at("deploy/cvd.yaml"), "File/motd"));
  CHECK_FALSE(belongs_to(at("deploy/cvd2/app.yaml"), "cvd"));
  CHECK_FALSE(belongs_to(at("deploy/cvd/app.yaml"), "motd"));
  CHECK_FALSE(belongs_to(at("deploy/cvd/app.yaml"), ""));
}

TEST_CASE("what leaves an application as it is, is another desired state", "[rollout][suspend]") {
  HostDesired desired;
  desired.lowered.bundle.wanted = {
      {.id = {PrimitiveType::file, "/etc/a"}, .origin = at("cvd/a.yaml")},
      {.id = {PrimitiveType::file, "/etc/b"}, .origin = at("quiz/b.yaml")},
  };
  desired.lowered.checks = {{.name = "a", .origin = at("cvd/a.yaml")}, {.name = "b", .origin = at("quiz/b.yaml")}};
  desired.digest = digest_of(desired.lowered.bundle);
  const std::string before = desired.digest;
  leave_apps(desired, {});
  CHECK(desired.digest == before);
  leave_apps(desired, {"cvd"});
  CHECK(desired.digest != before);
  CHECK(left_ids(desired) == std::vector<std::string>{"file:/etc/a"});
  REQUIRE(desired.lowered.checks.size() == 1);
  CHECK(desired.lowered.checks.front().name == "b");
}

TEST_CASE("the audit is told who suspended what, why and until when", "[rollout][suspend]") {
  const AuditEntry entry = audit_of(of("a", "cvd"), "suspend", "alice", now);
  CHECK(entry.kind == "suspend");
  CHECK(entry.outcome == "suspended");
  CHECK(entry.by == "alice");
  CHECK(entry.reason == "tests");
  CHECK(entry.hosts == std::vector<std::string>{"a"});
  CHECK(entry.record.at("app").as_text() == "cvd");
  CHECK(entry.record.at("until_ms").as_int() == now + 1);
}
