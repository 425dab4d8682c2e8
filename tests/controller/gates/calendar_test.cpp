#include <controller/gates/calendar.hpp>
#include <manifests/zone.hpp>

#include <catch2/catch.hpp>

#include <random>

using namespace holdfast;

namespace {

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 3600;
constexpr std::int64_t day = 86'400;

Window window(const std::string& zone, const std::string& days, std::int64_t from, std::int64_t to) {
  Window made{.from_s = from, .to_s = to, .zone_name = zone, .zone = Zone::named(zone)};
  REQUIRE(made.zone);
  for (std::size_t i = 0; i < 7; ++i)
    made.days.at(i) = days.empty() || days.find(static_cast<char>('0' + i)) != std::string::npos;
  return made;
}

std::int64_t utc(std::int64_t year, int month, int date, int hours, int minutes = 0) {
  return days_of(year, month, date) * day + hours * hour + minutes * minute;
}

GatesPolicy policy(std::vector<Window> windows, std::vector<Freeze> freezes = {}) {
  GatesPolicy made;
  made.windows = std::move(windows);
  made.freezes = std::move(freezes);
  return made;
}

}  // namespace

TEST_CASE("a window counts in the clocks of its zone", "[gates][calendar]") {
  const Window berlin = window("Europe/Berlin", "0", 2 * hour, 4 * hour);  // Sundays
  CHECK(is_in(berlin, utc(2026, 11, 22, 1)));                              // winter: UTC+1
  CHECK_FALSE(is_in(berlin, utc(2026, 11, 22, 0, 59)));
  CHECK(is_in(berlin, utc(2026, 11, 22, 2, 59)));
  CHECK_FALSE(is_in(berlin, utc(2026, 11, 22, 3)));
  CHECK(is_in(berlin, utc(2026, 7, 5, 0)));  // summer: UTC+2
  CHECK_FALSE(is_in(berlin, utc(2026, 7, 6, 0)));
}

TEST_CASE("a window over midnight belongs to the day on which it begins", "[gates][calendar]") {
  const Window night = window("UTC", "6", 23 * hour, 2 * hour);  // Saturday night
  CHECK(is_in(night, utc(2026, 11, 21, 23)));
  CHECK(is_in(night, utc(2026, 11, 22, 1, 59)));
  CHECK_FALSE(is_in(night, utc(2026, 11, 22, 2)));
  CHECK_FALSE(is_in(night, utc(2026, 11, 22, 23)));
  CHECK_FALSE(is_in(night, utc(2026, 11, 21, 1)));
  CHECK(is_in(window("UTC", "6", 0, day), utc(2026, 11, 21, 23, 59)));
  CHECK_FALSE(is_in(window("UTC", "6", 0, day), utc(2026, 11, 22, 0)));
}

TEST_CASE("a window that begins in the gap of spring begins right after it", "[gates][calendar]") {
  // Berlin, 2026-03-29: 02:00 is 03:00, at 01:00 UTC.
  const auto opens = [](const Window& one) { return next_opening(policy({one}), utc(2026, 3, 28, 12)); };
  const Window begins = window("Europe/Berlin", "0", 2 * hour + 30 * minute, 4 * hour);
  CHECK(opens(begins) == utc(2026, 3, 29, 1));
  CHECK(is_in(begins, utc(2026, 3, 29, 1, 59)));
  CHECK_FALSE(is_in(begins, utc(2026, 3, 29, 2)));
  const Window ends = window("Europe/Berlin", "0", 1 * hour, 2 * hour + 30 * minute);
  CHECK(is_in(ends, utc(2026, 3, 29, 0, 59)));
  CHECK_FALSE(is_in(ends, utc(2026, 3, 29, 1)));
}

TEST_CASE("a window that spring leaves out whole lasts as long as it is written, after the gap", "[gates][calendar]") {
  const Window left_out = window("Europe/Berlin", "0", 2 * hour + 15 * minute, 2 * hour + 45 * minute);
  CHECK(next_opening(policy({left_out}), utc(2026, 3, 28, 12)) == utc(2026, 3, 29, 1));
  CHECK(is_in(left_out, utc(2026, 3, 29, 1, 29)));
  CHECK_FALSE(is_in(left_out, utc(2026, 3, 29, 1, 30)));
  CHECK_FALSE(is_in(left_out, utc(2026, 3, 29, 0, 59)));
}

TEST_CASE("the hour that autumn has twice counts twice", "[gates][calendar]") {
  // Berlin, 2026-10-25: 03:00 is 02:00 again, at 01:00 UTC.
  const Window whole = window("Europe/Berlin", "0", 2 * hour, 3 * hour);
  CHECK(is_in(whole, utc(2026, 10, 25, 0)));
  CHECK(is_in(whole, utc(2026, 10, 25, 1, 59)));
  CHECK_FALSE(is_in(whole, utc(2026, 10, 25, 2)));
  const Window part = window("Europe/Berlin", "0", 1 * hour, 2 * hour + 30 * minute);
  CHECK(is_in(part, utc(2026, 10, 25, 0, 29)));
  CHECK_FALSE(is_in(part, utc(2026, 10, 25, 0, 45)));
  CHECK(is_in(part, utc(2026, 10, 25, 1, 29)));
  CHECK(next_opening(policy({part}), utc(2026, 10, 25, 0, 45)) == utc(2026, 10, 25, 1));
}

TEST_CASE("zones that change their clocks at midnight, by half an hour or the other way round have windows",
          "[gates][calendar]") {
  CHECK(next_opening(policy({window("Africa/Cairo", "5", 0, hour)}), utc(2026, 4, 23, 12)) == utc(2026, 4, 23, 22));
  const Window lord_howe = window("Australia/Lord_Howe", "0", 2 * hour, 2 * hour + 30 * minute);
  CHECK(next_opening(policy({lord_howe}), utc(2026, 10, 3, 0)) == utc(2026, 10, 3, 15, 30));  // left out, then 30 min
  CHECK(is_in(lord_howe, utc(2026, 10, 3, 15, 59)));
  CHECK_FALSE(is_in(lord_howe, utc(2026, 10, 3, 16)));
  CHECK(is_in(window("Asia/Kathmandu", "", 5 * hour + 45 * minute, 6 * hour), utc(2026, 1, 1, 0)));
}

TEST_CASE("a freeze beats windows, and knows leap days", "[gates][calendar]") {
  const auto berlin = Zone::named("Europe/Berlin");
  const Freeze freeze{.from_s = days_of(2028, 2, 28) * day,
                      .to_s = days_of(2028, 3, 1) * day,
                      .zone_name = "Europe/Berlin",
                      .zone = berlin,
                      .reason = "the fair"};
  const GatesPolicy both = policy({window("UTC", "", 0, day)}, {freeze});
  CHECK(is_open(both, utc(2028, 2, 27, 22, 59)));
  CHECK_FALSE(is_open(both, utc(2028, 2, 27, 23)));
  CHECK_FALSE(is_open(both, utc(2028, 2, 29, 12)));
  CHECK(next_opening(both, utc(2028, 2, 28, 12)) == utc(2028, 2, 29, 23));
  const auto answers = ask_calendar(both, utc(2028, 2, 29, 12) * 1000, false);
  REQUIRE(answers.size() == 2);
  CHECK_FALSE(answers[0].open);
  CHECK(answers[0].why == "frozen until Wed 2028-03-01 00:00 Europe/Berlin (2028-02-29 23:00:00Z): the fair");
  CHECK(answers[1].open);
  CHECK_FALSE(ask_calendar(both, utc(2028, 2, 29, 12) * 1000, true)[0].open);
}

TEST_CASE("a closed window says when the next one opens", "[gates][calendar]") {
  const GatesPolicy sundays = policy({window("Europe/Berlin", "0", 2 * hour, 4 * hour)});
  const auto answers = ask_calendar(sundays, utc(2026, 11, 21, 14) * 1000, false);
  REQUIRE(answers.size() == 1);
  CHECK_FALSE(answers[0].open);
  CHECK(answers[0].why ==
        "outside of its windows: the next one opens Sun 2026-11-22 02:00 Europe/Berlin (2026-11-22 01:00:00Z)");
  CHECK(ask_calendar(sundays, utc(2026, 11, 21, 14) * 1000, true)[0].open);
}

TEST_CASE("the next opening is the first open minute, whatever the zone, the day and the window", "[gates][calendar]") {
  const std::vector<std::string> zones = {
      "UTC",          "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe",
      "Africa/Cairo", "Pacific/Apia",  "Europe/Dublin",    "Africa/Casablanca", "Asia/Tehran",  "America/St_Johns"};
  std::mt19937 random(20261121);  // NOLINT: the same course each time
  const auto below = [&](int most) { return static_cast<std::int64_t>(random() % static_cast<unsigned>(most)); };
  for (int round = 0; round < 60; ++round) {
    const std::string& zone = zones.at(static_cast<std::size_t>(below(static_cast<int>(zones.size()))));
    const std::int64_t from = below(96) * 15 * minute;
    const std::int64_t to = (from + (1 + below(90)) * 15 * minute) % day;
    std::string days;
    for (char one = '0'; one < '7'; ++one) {
      if (below(3) == 0) days += one;
    }
    if (days.empty()) days = "0";
    const GatesPolicy gates = policy({window(zone, days, from, to)});
    // About the days on which most of these zones change their clocks.
    const std::int64_t changes = below(2) == 0 ? utc(2026, 3, 1, 0) : utc(2011 + below(20), 10, 1, 0);
    const std::int64_t start = changes + below(35) * day + below(1440) * minute;
    const auto opening = next_opening(gates, start);
    INFO(zone << " days " << days << " from " << from << " to " << to << " at " << start);
    REQUIRE(opening);
    REQUIRE(is_open(gates, *opening));
    std::int64_t first = start;
    while (!is_open(gates, first) && first < *opening) first += minute;
    CHECK(first == *opening);
  }
}
