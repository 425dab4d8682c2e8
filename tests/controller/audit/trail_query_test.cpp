#include <controller/audit/trail_query.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace holdfast;

namespace {

const std::string first(40, '1');
const std::string second(40, '2');
const std::string third(40, '3');

struct Story {
  std::vector<TrailLine> lines{};  // the newest first

  Story& tell(std::int64_t at_s, const std::string& kind, const std::string& outcome, const std::string& revision,
              const std::string& back_to = "", const std::string& host = "web1") {
    TrailLine line{.number = static_cast<std::int64_t>(lines.size()) + 1, .commit = std::string(40, 'c')};
    line.entry = {.kind = kind,
                  .environment = "production",
                  .revision = revision,
                  .outcome = outcome,
                  .by = "holdfast run",
                  .approved_by = kind == "deployment" ? std::vector<std::string>{"alice"} : std::vector<std::string>{},
                  .rolled_back_to = back_to,
                  .subject = "production: " + outcome + " x: Subject of " + revision.substr(0, 1),
                  .at_ms = at_s * 1000};
    if (!host.empty()) line.entry.hosts = {host};
    lines.insert(lines.begin(), line);
    return *this;
  }
};

}  // namespace

TEST_CASE("where tells the revision at a time, since when, by which entry and who approved it", "[audit][where]") {
  Story story;
  story.tell(10, "deployment", "deployed", first).tell(20, "repair", "repaired", first);
  story.tell(30, "deployment", "deployed", second);
  const auto at = where_was(story.lines, "web1", 25'000);
  REQUIRE(at.size() == 1);
  CHECK(at[0].revision == first);
  CHECK(at[0].subject == "Subject of 1");
  CHECK(at[0].since_ms == 10'000);
  CHECK(at[0].by->number == 1);
  CHECK(at[0].approved_by == std::vector<std::string>{"alice"});
  REQUIRE(at[0].besides.size() == 1);
  CHECK(at[0].besides[0].number == 2);
  CHECK(where_was(story.lines, "web1", 30'000)[0].revision == second);
  CHECK(where_was(story.lines, "web1", 30'000)[0].besides.empty());
  CHECK(where_was(story.lines, "web1", 9'999).empty());
  CHECK(where_was(story.lines, "web2", 30'000).empty());
}

TEST_CASE("where tells what a host has after a rollback", "[audit][where]") {
  Story story;
  story.tell(10, "deployment", "deployed", first).tell(20, "rollback", "rolled back", second, first);
  auto at = where_was(story.lines, "web1", 25'000);
  CHECK(at[0].revision == first);
  CHECK(at[0].since_ms == 10'000);
  CHECK(at[0].besides.size() == 1);
  story.tell(30, "deployment", "deployed", second).tell(40, "rollback", "rolled back", first, first);  // by hand
  at = where_was(story.lines, "web1", 45'000);
  CHECK(at[0].revision == first);
  CHECK(at[0].since_ms == 40'000);
  story.tell(50, "rollback", "rollback failed", third);
  CHECK(where_was(story.lines, "web1", 55'000)[0].uncertain);
  story.tell(60, "deployment", "deployed", third);
  CHECK_FALSE(where_was(story.lines, "web1", 65'000)[0].uncertain);
}

TEST_CASE("where tells what a host has after something newer took the place of what it was given", "[audit][where]") {
  Story story;
  story.tell(10, "deployment", "deployed", first).tell(20, "superseded", "superseded", second, first);
  const auto at = where_was(story.lines, "web1", 25'000);
  CHECK(at[0].revision == first);
  CHECK(at[0].since_ms == 10'000);
  CHECK(at[0].besides.size() == 1);
  Story younger;  // the branch begins with it
  younger.tell(20, "superseded", "superseded", second, first);
  CHECK(where_was(younger.lines, "web1", 25'000)[0].revision == first);
}

TEST_CASE("where reads by time, however entries stand on the branch", "[audit][where]") {
  Story story;  // what a controller wrote late stands behind what another one did later
  story.tell(30, "deployment", "deployed", second).tell(10, "deployment", "deployed", first);
  CHECK(where_was(story.lines, "web1", 40'000)[0].revision == second);
  CHECK(where_was(story.lines, "web1", 20'000)[0].revision == first);
}

TEST_CASE("where tells what was decided for the whole environment, too", "[audit][where]") {
  Story story;
  story.tell(10, "deployment", "deployed", first).tell(20, "suspend", "suspended", "", "", "");
  CHECK(where_was(story.lines, "web1", 25'000)[0].besides.size() == 1);
}

TEST_CASE("a time is one of RFC 3339 or a date", "[audit][where]") {
  CHECK(parse_time("1970-01-01") == 0);
  CHECK(parse_time("1970-01-02T00:00:01Z") == 86'401'000);
  CHECK(parse_time("1970-01-02t00:00:01.25z") == 86'401'250);
  CHECK(parse_time("1970-01-02 00:00:01Z") == 86'401'000);
  CHECK(parse_time("1970-01-02T01:00+01:00") == 86'400'000);
  CHECK(parse_time("1970-01-01T19:00:00-05:00") == 86'400'000);
  CHECK(parse_time("2024-02-29").has_value());
  for (const char* text :
       {"", "yesterday", "1970-1-1", "2023-02-29", "1970-13-01", "1970-01-01T24:00:00Z", "1970-01-01T00:00:00",
        "1970-01-01T00:00:00Zx", "1970-01-01T00:60:00Z", "19700101", "1970-01-01T00:00:00+25:00"}) {
    INFO(text);
    CHECK_FALSE(parse_time(text).has_value());
  }
}
