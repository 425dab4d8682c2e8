#include <controller/rollout/account.hpp>
#include <manifests/digest.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

HostPlan plan_of_two() {
  HostPlan plan{.host = "web1", .environment = "production", .commit = "c"};
  plan.plan.actions.push_back({.id = {PrimitiveType::file, "/etc/motd"},
                               .from = {{"present", true}, {"mode", 384}},
                               .to = {{"present", true}, {"mode", 420}},
                               .irreversible = {"the reason"},
                               .origin = {.resource = "File/motd", .position = {.file = "a.yaml", .line = 3}}});
  Action unit{.id = {PrimitiveType::unit, "app.service"},
              .from = {{"active", "running"}, {"loaded", "a"}},
              .to = {{"active", "running"}, {"loaded", "b"}}};
  unit.steps = {{"unit.restart", {{"name", "app.service"}}},
                {"unit.loaded", {{"name", "app.service"}, {"loads", Value::texts({"file:/etc/motd"})}}}};
  plan.plan.actions.push_back(unit);
  plan.down_ms = {{"app.service", 400}};
  return plan;
}

Map event(const std::string& id, const std::string& state, Map more = {}) {
  more.insert({{"kind", "action"}, {"id", id}, {"state", state}});
  return more;
}

std::string only_text(Account& account, const Value& value) {
  const auto lines = account.take(value);
  REQUIRE(lines.size() == 1);
  return lines.front().text;
}

}  // namespace

TEST_CASE("a transaction is announced in the plan's words", "[account]") {
  Account account;
  account.begin(plan_of_two());
  CHECK(account.summary() == "0 to create, 2 to change, 0 to remove; restarts app.service");
  CHECK(account.warnings() ==
        std::vector<std::string>{"restarts app.service: File/motd changes; interruption: stops, and starts again, "
                                 "about 0.4 s not running, then until it is ready",
                                 "can't be undone in full: file:/etc/motd: the reason"});
}

TEST_CASE("each change is told with the plan's line when it is done", "[account]") {
  Account account;
  account.begin(plan_of_two());
  CHECK(account.take(event("file:/etc/motd", "begin")).empty());
  CHECK(only_text(account, event("file:/etc/motd", "done", {{"took_ms", 120}})) ==
        "done  ~ file:/etc/motd  mode 0600 -> 0644  (File/motd a.yaml:3)  0.1 s");
  CHECK(only_text(account, event("unit:app.service", "done", {{"took_ms", 1200}, {"down_ms", 300}})) ==
        "done  ~ unit:app.service  restarts  1.2 s, 0.3 s not running");
  CHECK(account.downs() == std::map<std::string, std::int64_t>{{"app.service", 300}});
  CHECK(outcome_text(account.result(), "unit:app.service") == "done in 1.2 s, 0.3 s not running");
  CHECK(outcome_text(account.result(), "file:/other") == "not reached");
}

TEST_CASE("a failure and the undo after it are what came of a change", "[account]") {
  Account account;
  account.begin(plan_of_two());
  account.take(event("file:/etc/motd", "done", {{"took_ms", 120}}));
  const auto failed = account.take(event("unit:app.service", "failed", {{"detail", "it died\nline"}}));
  REQUIRE(failed.size() == 1);
  CHECK(failed.front().level == Progress::Level::bad);
  CHECK_FALSE(account.is_undone());
  account.take(Map{{"kind", "phase"}, {"phase", "rollback"}});
  CHECK(account.is_undone());
  account.take(event("file:/etc/motd", "done"));
  CHECK(outcome_text(account.result(), "file:/etc/motd") == "undone");
  CHECK(outcome_text(account.result(), "unit:app.service") == "failed: it died");
}

TEST_CASE("a hostile host's events end nowhere but in a bounded account", "[account]") {
  Account account;
  account.begin(plan_of_two());
  CHECK(only_text(account, event("file:/\x1b[2J\nx", "done")) == "done  file:/\\x1b[2J x");
  account.take(event("unit:app.service", "done", {{"took_ms", -7}, {"down_ms", INT64_MAX}}));
  CHECK(account.downs().at("app.service") == 86'400'000);
  for (int i = 0; i < 12'000; ++i) account.take(event("file:/" + std::to_string(i), "done"));
  CHECK(account.result().changes.size() < 11'000);
}

TEST_CASE("what is kept of a transaction is read back, diffs with it", "[account]") {
  HostPlan plan = plan_of_two();
  Action& file = plan.plan.actions.front();
  file.from["content"] = sha256("a\n");
  file.to["content"] = sha256("b\n");
  plan.old_contents[sha256("a\n")] = "a\n";
  plan.new_content = [](const std::string&) { return std::string("b\n"); };
  plan.checks = {"a check"};
  plan.changed_by = {{"file:/etc/motd", 1'795'269'787'000, "alice (uid 1000, sudo vi /etc/motd)", true},
                     {"file:/etc/hosts", 0, "unknown", false}};
  const HostPlan kept = kept_plan(keep_plan(plan));
  CHECK(view_of(kept) == view_of(plan));
  CHECK(kept.changed_by == plan.changed_by);
  CHECK(change_view(kept, kept.plan.actions.front()).content.diff.find("-a\n+b\n") != std::string::npos);

  TransactionResult result;
  result.changes["file:/etc/motd"] = {.state = "done", .took_ms = 5};
  result.checks = {{.name = "a check", .passed = true, .detail = "fine", .took_ms = 3}};
  CHECK(keep_result(kept_result(keep_result(result))) == keep_result(result));
  CHECK(kept_result("").changes.empty());
}

TEST_CASE("a plan that was kept by an earlier version, or badly, is no reason to fail", "[account]") {
  const std::string actions = to_json(to_value(plan_of_two().plan).at("actions"));
  CHECK(kept_plan(actions).plan.actions.size() == 2);
  CHECK(kept_plan("").plan.actions.empty());
  CHECK(kept_plan("{\"version\": 9}").error.starts_with("the plan that was kept can't be read"));
}

TEST_CASE("a very long diff is not kept, its size is", "[account]") {
  HostPlan plan = plan_of_two();
  const std::string large(200'000, 'x');
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    Action file{.id = {PrimitiveType::file, "/etc/f" + std::to_string(i)}, .to = {{"present", true}}};
    file.from["present"] = false;
    file.to["content"] = sha256(large);
    plan.plan.actions.push_back(file);
  }
  plan.new_content = [&](const std::string&) { return large; };
  const std::string kept = keep_plan(plan);
  CHECK(kept.size() < 700'000);
  CHECK(kept.find("the diff was too long to be kept") != std::string::npos);
}
