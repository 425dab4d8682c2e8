#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

/// What a calendar expression of systemd (OnCalendar=) means, as far as it can be known without systemd.
struct Calendar {
  std::string fault{};  // why it is none; empty where it is one
  std::string hint{};
  std::int64_t longest_pause_s{};  // the longest time between two of its moments, at most 400 days
};

/// Reads weekdays, date, time and zone: "daily", "Mon..Fri 02:30", "*-*-01 04:00:00 UTC", "*:0/15". What it takes,
/// systemd takes; time zones are judged by their form only.
Calendar read_calendar(std::string_view text);

}  // namespace holdfast
