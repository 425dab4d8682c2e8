#include <reconcilers/kinds/calendar.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace holdfast {

namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t longest_s = 400 * day_s;
constexpr int first_year = 1970;
constexpr int last_year = 2199;

/// What is not an expression: thrown inside this file only.
struct Wrong {
  std::string what;
};

using Numbers = std::set<int>;

struct Expression {
  Numbers weekdays{};  // 0 is Monday; empty: any
  Numbers years{};     // empty: any
  Numbers months{}, days{};
  bool from_end = false;  // days count from the month's end
  Numbers hours{0}, minutes{0}, seconds{0};
};

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : text) {
    if (c == by) {
      parts.push_back(std::move(part));
      part.clear();
    } else {
      part += c;
    }
  }
  parts.push_back(std::move(part));
  return parts;
}

int number(std::string_view text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    throw Wrong{"\"" + std::string(text) + "\" is no number"};
  }
  if (value < least || value > most) {
    throw Wrong{"\"" + std::string(text) + "\" is not from " + std::to_string(least) + " to " + std::to_string(most)};
  }
  return value;
}

/// "*", "5", "1..5", "0/15", "1..20/3", and lists of them.
Numbers numbers(std::string_view field, int least, int most) {
  Numbers found;
  for (const std::string& part : split(field, ',')) {
    const std::size_t slash = part.find('/');
    const std::string range = part.substr(0, slash);
    const std::size_t dots = range.find("..");
    int from = least;
    int to = most;
    if (range != "*") {
      from = number(range.substr(0, dots), least, most);
      to = dots != std::string::npos    ? number(range.substr(dots + 2), least, most)
           : slash == std::string::npos ? from
                                        : most;
    }
    const int step = slash == std::string::npos ? 1 : number(part.substr(slash + 1), 1, last_year);
    if (from > to) throw Wrong{"\"" + range + "\" ends before it begins"};
    for (int value = from; value <= to; value += step) found.insert(value);
  }
  return found;
}

int weekday(const std::string& text) {
  static constexpr std::array<const char*, 7> names = {"monday", "tuesday",  "wednesday", "thursday",
                                                       "friday", "saturday", "sunday"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = names[i];
    if (text == name || text == name.substr(0, 3)) return static_cast<int>(i);
  }
  throw Wrong{"\"" + text + "\" is no day of the week"};
}

Numbers weekdays(const std::string& field) {
  Numbers found;
  for (const std::string& part : split(field, ',')) {
    const std::size_t dots = part.find("..");
    const int from = weekday(part.substr(0, dots));
    const int to = dots == std::string::npos ? from : weekday(part.substr(dots + 2));
    if (from > to) throw Wrong{"\"" + part + "\" ends before it begins: weeks begin on Monday"};
    for (int day = from; day <= to; ++day) found.insert(day);
  }
  return found;
}

void read_date(const std::string& text, Expression& to) {
  std::string fields = text;
  if (const std::size_t tilde = fields.find('~'); tilde != std::string::npos) {
    to.from_end = true;
    fields[tilde] = '-';
  }
  std::vector<std::string> parts = split(fields, '-');
  if (parts.size() == 3) {
    if (parts[0] != "*") to.years = numbers(parts[0], first_year, last_year);
    parts.erase(parts.begin());
  }
  if (parts.size() != 2) throw Wrong{"\"" + text + "\" is no date: expected YEAR-MONTH-DAY"};
  to.months = numbers(parts[0], 1, 12);
  to.days = numbers(parts[1], 1, 31);
}

void read_time(const std::string& text, Expression& to) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) throw Wrong{"\"" + text + "\" is no time: expected HOUR:MINUTE:SECOND"};
  to.hours = numbers(parts[0], 0, 23);
  to.minutes = numbers(parts[1], 0, 59);
  to.seconds = parts.size() == 3 ? numbers(parts[2], 0, 59) : Numbers{0};
}

bool is_zone(const std::string& text) {
  if (text == "UTC") return true;
  const bool plain = std::ranges::all_of(
      text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '-' || c == '+'; });
  return plain && text.find('/') != std::string::npos && std::isupper(static_cast<unsigned char>(text.front())) != 0;
}

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Expression read_words(std::vector<std::string> words) {
  Expression found;
  found.months = numbers("*", 1, 12);
  found.days = numbers("*", 1, 31);
  if (words.size() > 1 && is_zone(words.back())) words.pop_back();
  std::size_t at = 0;
  if (at < words.size() && std::isalpha(static_cast<unsigned char>(words[at].front())) != 0) {
    std::string days = lower_case(words[at++]);
    while (days.ends_with(',')) days.pop_back();
    found.weekdays = weekdays(days);
  }
  if (at < words.size() && words[at].find(':') == std::string::npos) read_date(words[at++], found);
  if (at < words.size()) read_time(words[at++], found);
  if (at < words.size()) throw Wrong{"\"" + words[at] + "\" is more than weekdays, a date, a time and a zone"};
  return found;
}

const std::map<std::string, std::string>& shorthands() {
  static const std::map<std::string, std::string> table = {
      {"minutely", "*:*"},         {"hourly", "*:00"},          {"daily", "*-*-*"},      {"weekly", "Mon"},
      {"monthly", "*-*-01"},       {"yearly", "*-01-01"},       {"annually", "*-01-01"}, {"quarterly", "*-1,4,7,10-1"},
      {"semiannually", "*-1,7-1"}, {"semi-annually", "*-1,7-1"}};
  return table;
}

Expression read_expression(std::string_view text) {
  std::vector<std::string> words;
  for (std::string& word : split(text, ' ')) {
    if (!word.empty()) words.push_back(std::move(word));
  }
  if (words.empty()) throw Wrong{"it is empty"};
  const auto shorthand = shorthands().find(lower_case(words.front()));
  if (shorthand != shorthands().end()) words.front() = shorthand->second;
  return read_words(std::move(words));
}

struct Day {
  int year = 2024, month = 1, day = 1, weekday = 0;  // 2024-01-01 was a Monday
};

int days_of(int month, int year) {
  static constexpr std::array<int, 12> lengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return lengths[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

Day next(Day day) {
  day.weekday = (day.weekday + 1) % 7;
  if (++day.day <= days_of(day.month, day.year)) return day;
  day.day = 1;
  if (++day.month <= 12) return day;
  day.month = 1;
  ++day.year;
  return day;
}

bool comes_on(const Expression& expression, const Day& day) {
  const int shown = expression.from_end ? days_of(day.month, day.year) + 1 - day.day : day.day;
  return expression.months.contains(day.month) && expression.days.contains(shown) &&
         (expression.weekdays.empty() || expression.weekdays.contains(day.weekday));
}

/// Every moment of a day, in seconds.
std::vector<std::int64_t> moments_of_a_day(const Expression& expression) {
  std::vector<std::int64_t> moments;
  for (const int hour : expression.hours) {
    for (const int minute : expression.minutes) {
      for (const int second : expression.seconds) moments.push_back(hour * 3600LL + minute * 60LL + second);
    }
  }
  return moments;
}

/// Over eight years; nothing where it never comes.
std::optional<std::int64_t> longest_pause(const Expression& expression) {
  constexpr int looked_at_days = 2922;
  const std::vector<std::int64_t> moments = moments_of_a_day(expression);
  std::int64_t longest = 0;
  for (std::size_t i = 1; i < moments.size(); ++i) longest = std::max(longest, moments[i] - moments[i - 1]);
  std::optional<std::int64_t> last;
  Day day;
  for (int index = 0; index < looked_at_days; ++index, day = next(day)) {
    if (!comes_on(expression, day)) continue;
    if (last) longest = std::max(longest, index * day_s + moments.front() - *last);
    last = index * day_s + moments.back();
  }
  if (!last) return std::nullopt;
  return expression.years.empty() && longest > 0 ? std::min(longest, longest_s) : longest_s;
}

}  // namespace

Calendar read_calendar(std::string_view text) {
  Calendar calendar;
  const std::string hint = "write it as for systemd's OnCalendar: \"daily\", \"*-*-* 02:30\", \"Mon..Fri 04:00\"";
  try {
    const std::optional<std::int64_t> pause = longest_pause(read_expression(text));
    if (pause) {
      calendar.longest_pause_s = *pause;
    } else {
      calendar.fault = "there is no such day";
    }
  } catch (const Wrong& wrong) {
    calendar.fault = wrong.what;
  }
  if (!calendar.fault.empty()) calendar.hint = hint;
  return calendar;
}

}  // namespace holdfast
