#include <controller/cli/look_commands.hpp>
#include <controller/plan/kept_plan.hpp>
#include <manifests/json.hpp>
#include <manifests/schema.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>

#include "golden.hpp"
#include "plan_samples.hpp"

using namespace holdfast;
using namespace holdfast::test;

namespace {

/// A deployment of everything, of which one step failed and the rest was undone.
std::int64_t add_failed_deployment(Store& store) {
  const HostPlan plan = full_plan("web1");
  Deployment one;
  one.environment = "production";
  one.host = "web1";
  one.transaction = "t1795248000-0a1b2c3d";
  one.commit = plan.commit;
  one.from_commit = "3f2a1b9c4d5e6f708192a3b4c5d6e7f801234567";
  one.subject = "Greet politely";
  one.author = "A Tester <tester@example.com>";
  one.cause = "commit";
  one.requested_by = "holdfast run";
  one.plan = keep_plan(plan);
  one.begun_ms = 1'795'248'000'000;
  const std::int64_t id = store.begin_deployment(one);
  TransactionResult result;
  result.changes["file:/etc/motd"] = {.state = "undone", .took_ms = 3};
  result.changes["unit:cvd.service"] = {.state = "failed", .detail = "it died\nTraceback", .took_ms = 900};
  result.checks = {{.name = "a check", .passed = false, .detail = "found 500", .took_ms = 12}};
  store.put_result(id, keep_result(result));
  store.add_event(id, 1'795'248'001'000, "not healthy: a check\nfound 500");
  store.add_event(id, 1'795'248'002'000, "cvd.service | Traceback");
  store.end_deployment(id, Outcome::rolled_back, "a check: found 500", 1'795'248'009'000);
  return id;
}

const LookOptions as_text = {.terminal = {}, .now_ms = 1'795'249'000'000};
const LookOptions as_json = {.json = true, .terminal = {}, .now_ms = 1'795'249'000'000};

}  // namespace

TEST_CASE("a deployment is shown as it was applied, with what came of it", "[cli]") {
  const auto store = Store::open(":memory:");
  const std::int64_t id = add_failed_deployment(*store);
  std::ostringstream text;
  CHECK(show_command(*store, id, as_text, text) == 0);
  check_golden("show.txt", text.str());
  std::ostringstream json;
  CHECK(show_command(*store, id, as_json, json) == 0);
  CHECK(check_record("deployment", from_json(json.str())).empty());
  CHECK(json.str().find("correct horse") == std::string::npos);
}

TEST_CASE("who made the drift that was put right stands in the record of the repair", "[cli][drift]") {
  const auto store = Store::open(":memory:");
  HostPlan plan = full_plan("web1");
  plan.changed_by = {{"file:/etc/motd", 1'795'248'000'000, "alice (uid 1000, sudo vi /etc/motd)", true}};
  Deployment repair;
  repair.environment = "production";
  repair.host = "web1";
  repair.plan = keep_plan(plan);
  const std::int64_t id = store->begin_deployment(repair);
  std::ostringstream json;
  CHECK(show_command(*store, id, as_json, json) == 0);
  const Value record = from_json(json.str());
  CHECK(check_record("deployment", record).empty());
  const List& made = record.at("changed_by").as_list();
  REQUIRE(made.size() == 1);
  CHECK(made.at(0).at("id") == Value("file:/etc/motd"));
  CHECK(made.at(0).at("at_ms") == Value(1'795'248'000'000));
  CHECK(made.at(0).at("by") == Value("alice (uid 1000, sudo vi /etc/motd)"));
  CHECK(made.at(0).at("known") == Value(true));
}

TEST_CASE("history says what each deployment changed", "[cli]") {
  const auto store = Store::open(":memory:");
  add_failed_deployment(*store);
  std::ostringstream text;
  CHECK(history_command(*store, "", "", 20, as_text, text) == 0);
  check_golden("history.txt", text.str());
  std::ostringstream json;
  CHECK(history_command(*store, "", "", 20, as_json, json) == 0);
  const Value record = from_json(json.str());
  CHECK(check_record("history", record).empty());
  CHECK(record.at("deployments").as_list().at(0).at("counts").at("create") == Value(3));
}

TEST_CASE("a deployment of which nothing came is shown without outcomes", "[cli]") {
  const auto store = Store::open(":memory:");
  Deployment one;
  one.plan = keep_plan(full_plan("web1"));
  const std::int64_t id = store->begin_deployment(one);
  std::ostringstream text;
  CHECK(show_command(*store, id, as_text, text) == 0);
  CHECK(text.str().find("not reached") == std::string::npos);
  CHECK(show_command(*store, 99, as_text, text) == 1);
}

TEST_CASE("status says which backups are not as they should be, and is 1 then", "[cli]") {
  const auto store = Store::open(":memory:");
  store->put_environment({.name = "production", .tracked = "branch main", .state = "following"});
  HostRecord host{.environment = "production", .host = "web1", .state = "converged"};
  const auto status = [&](const std::string& problem) {
    const Map backup{{"policy", "app"}, {"problem", problem}, {"detail", "because of this\nand that"}};
    host.backups = to_json(List{backup});
    store->put_host(host);
    std::ostringstream text;
    const int code = status_command(*store, "", as_text, text);
    return std::to_string(code) + text.str().substr(text.str().find("converged"));
  };
  CHECK(status("").find("backup") == std::string::npos);
  CHECK(status("").starts_with("0"));
  CHECK(status("never").find("web1  backup app  not yet taken: because of this\n") != std::string::npos);
  CHECK(status("never").starts_with("0"));
  for (const std::string problem : {"missed", "failed", "damaged"}) {
    CHECK(status(problem).find("backup app  " + problem + ": because of this\n") != std::string::npos);
    CHECK(status(problem).starts_with("1"));
  }
  std::ostringstream json;
  CHECK(status_command(*store, "", as_json, json) == 1);
  const Value record = from_json(json.str());
  const Value& told = record.at("environments").as_list().at(0).at("hosts").as_list().at(0);
  CHECK(told.at("backups").as_list().at(0).at("problem") == Value("damaged"));
}

TEST_CASE("the status of a crowd is a summary and those with a problem, of a few it is all of them", "[cli]") {
  const auto store = Store::open(":memory:");
  store->put_environment({.name = "production", .tracked = "branch main", .state = "following"});
  const auto add = [&](int from, int to, const std::string& state) {
    for (int i = from; i < to; ++i) {
      store->put_host({.environment = "production", .host = "h" + std::to_string(1000 + i), .state = state});
    }
  };
  const auto status = [&](bool every) {
    LookOptions options = as_text;
    options.all = every;
    std::ostringstream text;
    status_command(*store, "", options, text);
    return text.str();
  };
  add(0, 20, "converged");
  CHECK(status(false).find("h1019") != std::string::npos);

  add(20, 930, "converged");
  add(930, 935, "unreachable");
  const std::string text = status(false);
  INFO(text);
  CHECK(text.find("935 hosts: 930 converged, 5 unreachable") != std::string::npos);
  CHECK(text.find("h1934") != std::string::npos);
  CHECK(text.find("h1019") == std::string::npos);
  CHECK(text.find("930 more") != std::string::npos);
  CHECK(std::ranges::count(text, '\n') < 12);
  const std::string every = status(true);
  CHECK(every.find("h1019") != std::string::npos);
  CHECK(every.find("h1934") < every.find("h1019"));  // problems first

  add(0, 900, "unreachable");
  CHECK(std::ranges::count(status(false), '\n') < 50);
}

TEST_CASE("status tells sinks that fail, since when and why", "[cli]") {
  const auto store = Store::open(":memory:");
  store->put_environment({.name = "production", .tracked = "branch main", .state = "following"});
  LookOptions options = as_text;
  options.sinks = {{.name = "mail", .delivered_ms = 1},
                   {.name = "team",
                    .failing_since_ms = options.now_ms - 180'000,
                    .why = "answered 500",
                    .waiting = 3,
                    .dropped = 2}};
  std::ostringstream text;
  CHECK(status_command(*store, "", options, text) == 0);
  CHECK(text.str().find("notify team  failing since 3 min ago, 3 waiting, 2 dropped: answered 500\n") !=
        std::string::npos);
  CHECK(text.str().find("notify mail") == std::string::npos);
  options.json = true;
  std::ostringstream json;
  CHECK(status_command(*store, "", options, json) == 0);
  const Value record = from_json(json.str());
  REQUIRE(record.at("notify").as_list().size() == 2);
  CHECK(record.at("notify").as_list()[1].at("why").as_text() == "answered 500");
}
