#include "notify_scene.hpp"

#include <controller/notify/notification.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/schema.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::test;

namespace {

Notification rolled_back() {
  return {.id = std::string(32, 'a'),
          .event = "rolled-back",
          .at_ms = 1'795'248'000'000,
          .environment = "production",
          .revision = commit('4'),
          .subject = "Greet politely",
          .author = "A Tester",
          .hosts = {"web1"},
          .host_count = 1,
          .took_ms = 12'000,
          .reason = "a check: found 500\nmore of it",
          .journal = {"cvd.service | Traceback"}};
}

}  // namespace

TEST_CASE("a notification's record is what its schema says, and is read back whole", "[notify]") {
  const Notification note = tidy(rolled_back());
  const Value record = to_value(note);
  CHECK(check_record("notification", record).empty());
  CHECK(notification_from(from_json(to_json(record))) == note);
}

TEST_CASE("a title says in one line what happened, where and why", "[notify]") {
  CHECK(title_of(rolled_back()) == "production: rolled back 444444444444 on web1, held: a check: found 500");
  Notification note = rolled_back();
  note.event = "deployed";
  note.reason.clear();
  note.hosts = {"a", "b", "c", "d", "e", "f"};
  note.host_count = 60;
  CHECK(title_of(note) == "production: deployed 444444444444 on a, b, c, d, e and 55 more in 12 s");
  note.hosts = {"a", "b"};
  note.host_count = 2;
  CHECK(title_of(note) == "production: deployed 444444444444 on a and b in 12 s");
  CHECK(details_of(rolled_back()) == std::vector<std::string>{"Greet politely (A Tester)",
                                                              "a check: found 500\nmore of it",
                                                              "cvd.service | Traceback"});
}

TEST_CASE("what comes from outside is made printable, one line where it should be one, and cut", "[notify]") {
  Notification note = rolled_back();
  note.subject = "red \x1b[31m text\r\nBcc: everybody";
  note.journal.assign(100, std::string(5'000, 'x'));
  note.reason = std::string(50'000, 'y');
  note.hosts.assign(1'000, "web");
  note = tidy(note);
  CHECK(note.subject.find_first_of("\x1b\r\n") == std::string::npos);
  CHECK(note.journal.size() == 20);
  CHECK(note.journal.front().size() <= 300);
  CHECK(note.reason.size() <= 2'000);
  CHECK(note.hosts.size() == 50);
  CHECK(title_of(note).size() < 1'000);
  CHECK(title_of(note).find('\n') == std::string::npos);
}

TEST_CASE("a cut text ends between characters", "[notify]") {
  CHECK(cut_text("short", 10) == "short");
  CHECK(cut_text("äääääääääääää", 10) == "äää…");
  CHECK(cut_text("abcdefghijkl", 10) == "abcdefg…");
}

TEST_CASE("a sink is told of its events and environments only, and always of what concerns itself", "[notify]") {
  SinkSettings sink = NotifyScene::sink("team");
  Notification note = rolled_back();
  CHECK(wants(sink, note));
  sink.environments = {"staging"};
  CHECK_FALSE(wants(sink, note));
  sink.environments = {"staging", "production"};
  CHECK(wants(sink, note));
  sink.events = {"deployed"};
  CHECK_FALSE(wants(sink, note));
  note.event = "deployed";
  CHECK(wants(sink, note));
  note.event = "dropped";
  CHECK(wants(sink, note));
  sink.events.clear();
  note.event = "deploying";
  CHECK_FALSE(wants(sink, note));
}

TEST_CASE("two sinks of one name are refused", "[notify]") {
  const Value one = Map{{"name", "team"}, {"to", Map{{"slack", Map{{"urlFile", "/x"}}}}}};
  CHECK(sinks_from(List{one}).front().type == "slack");
  CHECK_THROWS_WITH(sinks_from(List{one, one}), Catch::Contains("two sinks named \"team\""));
}
