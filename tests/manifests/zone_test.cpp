#include <manifests/zone.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

using namespace holdfast;

namespace {

/// What the system's C library says: it reads the same files with other code.
class LibcZone {
 public:
  explicit LibcZone(const std::string& name) {
    setenv("TZ", name.c_str(), 1);
    tzset();
  }
  ~LibcZone() {
    unsetenv("TZ");
    tzset();
  }
  [[nodiscard]] static std::int64_t offset_s(std::int64_t utc_s) {
    const std::time_t time = utc_s;
    std::tm parts{};
    localtime_r(&time, &parts);
    return parts.tm_gmtoff;
  }
};

}  // namespace

TEST_CASE("zones agree with the C library from 1906 to 2128", "[zone]") {
  for (const std::string name : {"UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Sao_Paulo",
                                 "Africa/Casablanca", "Africa/Cairo", "Asia/Tehran", "Asia/Kathmandu", "Pacific/Apia",
                                 "Australia/Lord_Howe", "Antarctica/Troll", "America/Godthab", "Etc/GMT+5"}) {
    const auto zone = Zone::named(name);
    REQUIRE(zone);
    const LibcZone libc(name);
    std::int64_t wrong = 0;
    for (std::int64_t at = -2'000'000'000; at < 5'000'000'000; at += 86'400 * 5 + 3607) {
      if (zone->offset_s(at) != LibcZone::offset_s(at)) ++wrong;
    }
    INFO(name);
    CHECK(wrong == 0);
  }
}

TEST_CASE("a local time that clocks skip has no moment, one that they show twice has two", "[zone]") {
  const auto berlin = Zone::named("Europe/Berlin");
  const std::int64_t spring = days_of(2026, 3, 29) * 86'400;
  CHECK(berlin->moments(spring + 2 * 3600 + 1800).empty());
  CHECK(berlin->first_moment(spring + 2 * 3600 + 1800) == spring + 3600);
  const std::int64_t autumn = days_of(2026, 10, 25) * 86'400;
  CHECK(berlin->moments(autumn + 2 * 3600 + 1800) == std::vector<std::int64_t>{autumn + 1800, autumn + 3600 + 1800});
  CHECK(berlin->moments(autumn + 4 * 3600) == std::vector<std::int64_t>{autumn + 3 * 3600});
  const auto apia = Zone::named("Pacific/Apia");  // 2011-12-30 was left out
  CHECK(apia->moments(days_of(2011, 12, 30) * 86'400 + 43'200).empty());
  CHECK(apia->local_s(apia->first_moment(days_of(2011, 12, 30) * 86'400)) == days_of(2011, 12, 31) * 86'400);
}

TEST_CASE("dates and days are two ways to say the same", "[zone]") {
  CHECK(days_of(1970, 1, 1) == 0);
  CHECK(days_of(2028, 2, 29) + 1 == days_of(2028, 3, 1));
  CHECK(days_of(2100, 2, 28) + 1 == days_of(2100, 3, 1));
  CHECK(weekday_of(days_of(2026, 11, 22)) == 0);
  for (std::int64_t days = -200'000; days < 200'000; days += 13) {
    const Date date = date_of(days);
    REQUIRE(days_of(date.year, date.month, date.day) == days);
  }
}

TEST_CASE("a name that leaves the database and bytes that are no zone are none", "[zone]") {
  for (const char* name :
       {"", "Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "Europe", "zone.tab", "Europe//Berlin"}) {
    INFO(name);
    CHECK_FALSE(Zone::named(name));
  }
  std::ifstream file("/usr/share/zoneinfo/Europe/Berlin", std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  const std::string bytes = text.str();
  REQUIRE(Zone::read(bytes));
  for (std::size_t length = 0; length < bytes.size(); ++length) CHECK_FALSE(Zone::read(bytes.substr(0, length)));
  for (std::size_t i = 0; i < bytes.size(); ++i) {  // whatever is in it: an answer, and no harm
    std::string other = bytes;
    other[i] = static_cast<char>(other[i] ^ 0x5a);
    if (const auto zone = Zone::read(other)) (void)zone->first_moment(1'800'000'000);
  }
}
