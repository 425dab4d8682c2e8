#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// A time zone of the IANA database: what its clocks showed and will show. Local times are seconds since the epoch as
/// the zone's own clocks count them. Immutable.
class Zone {
 public:
  /// The zone of that name ("Europe/Berlin", "UTC") as the system's database has it; null where it has none.
  static std::shared_ptr<const Zone> named(const std::string& name, const std::string& folder = "/usr/share/zoneinfo");
  /// Out of the bytes of a TZif file, version 2 or later; null where they are none.
  static std::shared_ptr<const Zone> read(std::string_view bytes);

  /// How far the zone's clocks are ahead of UTC at a moment, in seconds.
  [[nodiscard]] std::int64_t offset_s(std::int64_t utc_s) const;
  [[nodiscard]] std::int64_t local_s(std::int64_t utc_s) const { return utc_s + offset_s(utc_s); }

  /// The moments at which the clocks show `local_s`, in order: two in the hour that an autumn has twice, none in the
  /// one that a spring leaves out.
  [[nodiscard]] std::vector<std::int64_t> moments(std::int64_t local_s) const;
  /// The first moment at which the clocks show `local_s` or, where they leave it out, the first one after the gap.
  [[nodiscard]] std::int64_t first_moment(std::int64_t local_s) const;

 private:
  struct Change {
    std::int64_t at_s = 0;
    std::int64_t offset_s = 0;
  };
  /// "M3.5.0/2", "J60", "59": a day of each year and the local time at which something changes.
  struct YearDay {
    enum class Form { month_week, without_leap_day, with_leap_day } form = Form::month_week;
    int month = 0, week = 0, day = 0;
    std::int64_t time_s = 7200;
    [[nodiscard]] std::int64_t local_s(std::int64_t year) const;
  };
  /// What goes on for ever after the last change that is written out: the footer, a POSIX TZ string.
  struct Rule {
    bool there = false;
    bool summer = false;
    std::int64_t standard_s = 0;
    std::int64_t summer_s = 0;
    YearDay begin{}, end{};
    [[nodiscard]] std::int64_t offset_s(std::int64_t utc_s) const;
  };
  class RuleReader;

  std::int64_t before_s_ = 0;  // the offset before the first change
  std::vector<Change> changes_{};
  Rule rule_{};
};

/// Days since the epoch of a date of the Gregorian calendar, and back.
std::int64_t days_of(std::int64_t year, int month, int day);
struct Date {
  std::int64_t year = 1970;
  int month = 1, day = 1;
};
Date date_of(std::int64_t days);
/// 0 for Sunday.
int weekday_of(std::int64_t days);
bool is_leap_year(std::int64_t year);

}  // namespace holdfast
