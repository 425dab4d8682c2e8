#include <controller/gates/calendar.hpp>

#include <controller/plan/times.hpp>
#include <manifests/problem.hpp>
#include <manifests/zone.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

namespace holdfast {

namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t days_ahead = 16;  // a week of windows, though clocks leave out all of one
constexpr int most_steps = 400;

std::int64_t day_of(std::int64_t local_s) { return local_s / day_s - (local_s % day_s < 0 ? 1 : 0); }

struct Range {
  std::int64_t from_s = 0, to_s = 0;  // local
};

/// The window that begins on a day, where one does.
std::optional<Range> on_day(const Window& window, std::int64_t day) {
  if (!window.days.at(static_cast<std::size_t>(weekday_of(day)))) return {};
  const std::int64_t end = window.to_s > window.from_s ? window.to_s : window.to_s + day_s;
  return Range{day * day_s + window.from_s, day * day_s + end};
}

/// Clocks leave all of it out: then it lasts as long as it is written, from the first moment after the gap.
bool is_in_left_out(const Zone& zone, const Range& range, std::int64_t utc_s) {
  if (!zone.moments(range.from_s).empty()) return false;
  const std::int64_t after_gap = zone.first_moment(range.from_s);
  return zone.local_s(after_gap) >= range.to_s && utc_s >= after_gap && utc_s < after_gap + range.to_s - range.from_s;
}

/// The moment between two at which the clocks are put back or forward, where they are.
std::optional<std::int64_t> change_between(const Zone& zone, std::int64_t before, std::int64_t after) {
  const std::int64_t offset = zone.offset_s(before);
  if (zone.offset_s(after) == offset) return {};
  while (after - before > 1) {
    const std::int64_t middle = before + (after - before) / 2;
    (zone.offset_s(middle) == offset ? before : after) = middle;
  }
  return after;
}

/// The moments at which a window may begin to be open.
void add_begins(const Window& window, std::int64_t utc_s, std::set<std::int64_t>& moments) {
  const std::int64_t today = day_of(window.zone->local_s(utc_s));
  for (std::int64_t day = today - 1; day <= today + days_ahead; ++day) {
    const auto change = change_between(*window.zone, window.zone->first_moment(day * day_s),
                                       window.zone->first_moment((day + 1) * day_s));
    if (change) moments.insert(*change);
    const auto range = on_day(window, day);
    if (!range) continue;
    for (const std::int64_t moment : window.zone->moments(range->from_s)) moments.insert(moment);
    moments.insert(window.zone->first_moment(range->from_s));
  }
}

const Freeze* freeze_at(const GatesPolicy& gates, std::int64_t utc_s) {
  const Freeze* longest = nullptr;
  for (const Freeze& one : gates.freezes) {
    if (!is_in(one, utc_s)) continue;
    const auto end = [](const Freeze& freeze) { return freeze.zone->first_moment(freeze.to_s); };
    if (longest == nullptr || end(one) > end(*longest)) longest = &one;
  }
  return longest;
}

bool is_in_any(const std::vector<Window>& windows, std::int64_t utc_s) {
  return windows.empty() || std::ranges::any_of(windows, [&](const Window& one) { return is_in(one, utc_s); });
}

/// "Sun 2026-11-22 02:00 Europe/Berlin (2026-11-22 01:00:00Z)"
std::string moment_text(std::int64_t utc_s, const Zone& zone, const std::string& zone_name) {
  constexpr std::array<const char*, 7> names = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const std::int64_t local = zone.local_s(utc_s);
  const std::int64_t day = day_of(local);
  const Date date = date_of(day);
  const std::int64_t minutes = (local - day * day_s) / 60;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s %04lld-%02d-%02d %02lld:%02lld ",
                names.at(static_cast<std::size_t>(weekday_of(day))), static_cast<long long>(date.year), date.month,
                date.day, static_cast<long long>(minutes / 60), static_cast<long long>(minutes % 60));
  return text.data() + zone_name + " (" + utc_text(utc_s * 1000) + ")";
}

GateAnswer ask_windows(const GatesPolicy& gates, std::int64_t utc_s, bool overruns) {
  GateAnswer answer{.open = overruns || is_in_any(gates.windows, utc_s), .gate = "window"};
  if (answer.open) return answer;
  const auto next = next_opening(gates, utc_s);
  answer.why = "outside of its windows";
  if (!next) {
    answer.why += ", and none opens";
    return answer;
  }
  const auto window = std::ranges::find_if(gates.windows, [&](const Window& one) { return is_in(one, *next); });
  answer.why += ": the next one opens " + moment_text(*next, *window->zone, window->zone_name);
  return answer;
}

GateAnswer ask_freezes(const GatesPolicy& gates, std::int64_t utc_s) {
  const Freeze* freeze = freeze_at(gates, utc_s);
  GateAnswer answer{.open = freeze == nullptr, .gate = "freeze"};
  if (freeze == nullptr) return answer;
  answer.why = "frozen until " +
               moment_text(freeze->zone->first_moment(freeze->to_s), *freeze->zone, freeze->zone_name) +
               (freeze->reason.empty() ? "" : ": " + printable(freeze->reason));
  return answer;
}

}  // namespace

bool is_in(const Window& window, std::int64_t utc_s) {
  const std::int64_t local = window.zone->local_s(utc_s);
  const std::int64_t today = day_of(local);
  for (std::int64_t day = today - 2; day <= today; ++day) {
    const auto range = on_day(window, day);
    if (!range) continue;
    if (local >= range->from_s && local < range->to_s) return true;
    if (is_in_left_out(*window.zone, *range, utc_s)) return true;
  }
  return false;
}

bool is_in(const Freeze& freeze, std::int64_t utc_s) {
  return utc_s >= freeze.zone->first_moment(freeze.from_s) && utc_s < freeze.zone->first_moment(freeze.to_s);
}

bool is_open(const GatesPolicy& gates, std::int64_t utc_s) {
  return freeze_at(gates, utc_s) == nullptr && is_in_any(gates.windows, utc_s);
}

std::optional<std::int64_t> next_opening(const GatesPolicy& gates, std::int64_t utc_s) {
  for (int step = 0; step < most_steps; ++step) {
    if (const Freeze* freeze = freeze_at(gates, utc_s)) {
      utc_s = freeze->zone->first_moment(freeze->to_s);
      continue;
    }
    if (is_in_any(gates.windows, utc_s)) return utc_s;
    std::set<std::int64_t> moments;
    for (const Window& one : gates.windows) add_begins(one, utc_s, moments);
    const auto next = std::ranges::find_if(
        moments, [&](std::int64_t moment) { return moment > utc_s && is_in_any(gates.windows, moment); });
    if (next == moments.end()) return std::nullopt;
    utc_s = *next;
  }
  return std::nullopt;
}

bool may_overrun(const GatesPolicy& gates, std::int64_t utc_s) {
  return std::ranges::any_of(gates.windows, [&](const Window& one) { return one.overrun && is_in(one, utc_s); });
}

std::vector<GateAnswer> ask_calendar(const GatesPolicy& gates, std::int64_t now_ms, bool overruns) {
  const std::int64_t utc_s = now_ms / 1000;
  std::vector<GateAnswer> answers;
  if (!gates.freezes.empty()) answers.push_back(ask_freezes(gates, utc_s));
  if (!gates.windows.empty()) answers.push_back(ask_windows(gates, utc_s, overruns));
  return answers;
}

}  // namespace holdfast
