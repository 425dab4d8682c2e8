// A reader of the system's zone files (RFC 8536): the standard library of g++ 12 has none, and libc's knows one zone
// for the whole process.
#include <manifests/zone.hpp>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <optional>
#include <sstream>

namespace holdfast {

namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::size_t header_bytes = 44;
constexpr std::size_t most_bytes = 1U << 20U;
constexpr std::size_t most_name = 100;
constexpr std::int64_t most_offset_s = 26 * 3600;  // POSIX allows up to 24:59:59

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

/// Bytes in the order of the network.
std::int64_t number_at(std::string_view bytes, std::size_t place, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8U | static_cast<unsigned char>(bytes[place + i]);
  if (width == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
  return static_cast<std::int64_t>(value);
}

/// The lengths of one block's parts.
struct Header {
  std::size_t utc_flags = 0, standard_flags = 0, leaps = 0, changes = 0, types = 0, names = 0;
  [[nodiscard]] std::size_t body(std::size_t time_bytes) const {
    return changes * (time_bytes + 1) + types * 6 + names + leaps * (time_bytes + 4) + standard_flags + utc_flags;
  }
};

std::optional<Header> header_at(std::string_view bytes, std::size_t place) {
  if (bytes.size() < place + header_bytes || bytes.substr(place, 4) != "TZif" || bytes[place + 4] < '2') return {};
  const auto count = [&](std::size_t index) {
    const std::int64_t value = number_at(bytes, place + 20 + 4 * index, 4);
    return value < 0 ? most_bytes : static_cast<std::size_t>(value);
  };
  const Header header{count(0), count(1), count(2), count(3), count(4), count(5)};
  for (const std::size_t one :
       {header.utc_flags, header.standard_flags, header.leaps, header.changes, header.types, header.names}) {
    if (one >= most_bytes) return {};
  }
  return header;
}

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > most_name || name.front() == '/' || name.back() == '/') return false;
  if (name.find("..") != std::string_view::npos || name.find("//") != std::string_view::npos) return false;
  return std::ranges::all_of(
      name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '-' || c == '+'; });
}

}  // namespace

std::int64_t days_of(std::int64_t year, int month, int day) {
  // Years begin in March here, so that the leap day is the last one.
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = floor_div(y, 400);
  const std::int64_t of_era = y - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

Date date_of(std::int64_t days) {
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = floor_div(shifted, 146'097);
  const std::int64_t of_era = shifted - era * 146'097;
  const std::int64_t year = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const std::int64_t month = (5 * of_year + 2) / 153;
  const int real_month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  return {.year = year + era * 400 + (real_month <= 2 ? 1 : 0),
          .month = real_month,
          .day = static_cast<int>(of_year - (153 * month + 2) / 5 + 1)};
}

int weekday_of(std::int64_t days) { return static_cast<int>(((days + 4) % 7 + 7) % 7); }

bool is_leap_year(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/// Reads the footer: "CET-1CEST,M3.5.0,M10.5.0/3".
class Zone::RuleReader {
 public:
  explicit RuleReader(std::string_view text) : rest_(text) {}

  std::optional<Rule> read() {
    Rule rule{.there = true};
    if (!name() || !offset(rule.standard_s)) return {};
    if (rest_.empty()) return rule;
    rule.summer = true;
    rule.summer_s = rule.standard_s + 3600;
    if (!name()) return {};
    if (!rest_.empty() && rest_.front() != ',' && !offset(rule.summer_s)) return {};
    const bool good = take(',') && year_day(rule.begin) && take(',') && year_day(rule.end) && rest_.empty();
    return good ? std::optional<Rule>(rule) : std::nullopt;
  }

 private:
  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool name() {
    const bool quoted = take('<');
    std::size_t length = 0;
    while (length < rest_.size() &&
           (quoted ? rest_[length] != '>' : std::isalpha(static_cast<unsigned char>(rest_[length])) != 0)) {
      ++length;
    }
    if (length < 3) return false;
    rest_.remove_prefix(length);
    return !quoted || take('>');
  }

  bool number(int& value) {
    std::size_t length = 0;
    value = 0;
    while (length < rest_.size() && length < 4 && std::isdigit(static_cast<unsigned char>(rest_[length])) != 0) {
      value = value * 10 + (rest_[length++] - '0');
    }
    rest_.remove_prefix(length);
    return length != 0;
  }

  bool time(std::int64_t& seconds) {
    const bool minus = take('-');
    if (!minus) (void)take('+');
    int part = 0;
    if (!number(part)) return false;
    seconds = static_cast<std::int64_t>(part) * 3600;
    for (const int unit : {60, 1}) {
      if (!take(':')) break;
      if (!number(part)) return false;
      seconds += static_cast<std::int64_t>(part) * unit;
    }
    if (minus) seconds = -seconds;
    return true;
  }

  /// POSIX counts from the zone to UTC.
  bool offset(std::int64_t& seconds) {
    if (!time(seconds) || seconds > most_offset_s || seconds < -most_offset_s) return false;
    seconds = -seconds;
    return true;
  }

  bool year_day(YearDay& day) {
    bool good = false;
    if (take('M')) {
      day.form = YearDay::Form::month_week;
      good = number(day.month) && take('.') && number(day.week) && take('.') && number(day.day) && day.month >= 1 &&
             day.month <= 12 && day.week >= 1 && day.week <= 5 && day.day <= 6;
    } else if (take('J')) {
      day.form = YearDay::Form::without_leap_day;
      good = number(day.day) && day.day >= 1 && day.day <= 365;
    } else {
      day.form = YearDay::Form::with_leap_day;
      good = number(day.day) && day.day <= 365;
    }
    if (good && take('/')) good = time(day.time_s) && day.time_s <= 167 * 3600 && day.time_s >= -167 * 3600;
    return good;
  }

  std::string_view rest_;
};

std::int64_t Zone::YearDay::local_s(std::int64_t year) const {
  std::int64_t days = days_of(year, 1, 1);
  if (form == Form::with_leap_day) {
    days += day;
  } else if (form == Form::without_leap_day) {
    days += day - 1 + (is_leap_year(year) && day >= 60 ? 1 : 0);
  } else {
    const std::int64_t first = days_of(year, month, 1);
    const std::int64_t next = month == 12 ? days_of(year + 1, 1, 1) : days_of(year, month + 1, 1);
    days = first + (day - weekday_of(first) + 7) % 7 + 7LL * (week - 1);
    while (days >= next) days -= 7;
  }
  return days * day_s + time_s;
}

std::int64_t Zone::Rule::offset_s(std::int64_t utc_s) const {
  if (!summer) return standard_s;
  const std::int64_t year = date_of(floor_div(utc_s + standard_s, day_s)).year;
  const std::int64_t begins = begin.local_s(year) - standard_s;
  const std::int64_t ends = end.local_s(year) - summer_s;
  const bool is_summer = begins < ends ? utc_s >= begins && utc_s < ends : utc_s >= begins || utc_s < ends;
  return is_summer ? summer_s : standard_s;
}

std::shared_ptr<const Zone> Zone::named(const std::string& name, const std::string& folder) {
  if (!is_zone_name(name)) return nullptr;
  std::ifstream file(folder + "/" + name, std::ios::binary);
  if (!file) return nullptr;
  std::string bytes(most_bytes, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return read(bytes);
}

std::shared_ptr<const Zone> Zone::read(std::string_view bytes) {
  const auto old = header_at(bytes, 0);
  if (!old) return nullptr;
  const std::size_t second = header_bytes + old->body(4);
  const auto header = header_at(bytes, second);
  const std::size_t body = second + header_bytes;
  if (!header || header->types == 0 || bytes.size() < body + header->body(8)) return nullptr;

  const std::size_t kinds = body + header->changes * 8;
  const std::size_t types = kinds + header->changes;
  const auto zone = std::make_shared<Zone>();
  const auto offset_of = [&](std::size_t type) { return number_at(bytes, types + 6 * type, 4); };
  for (std::size_t i = 0; i < header->types; ++i) {
    if (offset_of(i) > most_offset_s || offset_of(i) < -most_offset_s) return nullptr;
  }
  zone->before_s_ = offset_of(0);
  for (std::size_t i = 0; i < header->changes; ++i) {
    const auto type = static_cast<std::size_t>(static_cast<unsigned char>(bytes[kinds + i]));
    const std::int64_t at_s = number_at(bytes, body + 8 * i, 8);
    if (type >= header->types || (i > 0 && at_s <= zone->changes_.back().at_s)) return nullptr;
    zone->changes_.push_back({at_s, offset_of(type)});
  }
  std::string_view footer = bytes.substr(body + header->body(8));
  if (footer.size() < 2 || footer.front() != '\n' || footer.find('\n', 1) == std::string_view::npos) return nullptr;
  footer = footer.substr(1, footer.find('\n', 1) - 1);
  if (footer.empty()) return zone;
  const auto rule = RuleReader(footer).read();
  if (!rule) return nullptr;
  zone->rule_ = *rule;
  return zone;
}

std::int64_t Zone::offset_s(std::int64_t utc_s) const {
  if (rule_.there && (changes_.empty() || utc_s >= changes_.back().at_s)) return rule_.offset_s(utc_s);
  const auto after = std::ranges::upper_bound(changes_, utc_s, {}, &Change::at_s);
  return after == changes_.begin() ? before_s_ : std::prev(after)->offset_s;
}

std::vector<std::int64_t> Zone::moments(std::int64_t local_s) const {
  std::vector<std::int64_t> found;
  // Whatever is in force when the clocks show it was so a day before or will be a day after.
  for (const std::int64_t near :
       {local_s - 2 * day_s, local_s - day_s, local_s, local_s + day_s, local_s + 2 * day_s}) {
    const std::int64_t moment = local_s - offset_s(near);
    if (this->local_s(moment) == local_s && std::ranges::find(found, moment) == found.end()) found.push_back(moment);
  }
  std::ranges::sort(found);
  return found;
}

std::int64_t Zone::first_moment(std::int64_t local_s) const {
  const auto found = moments(local_s);
  if (!found.empty()) return found.front();
  std::int64_t before = local_s - 2 * day_s;
  std::int64_t after = local_s + 2 * day_s;
  while (after - before > 1) {  // the clocks only ever skip forward over it, in one step
    const std::int64_t middle = before + (after - before) / 2;
    (this->local_s(middle) < local_s ? before : after) = middle;
  }
  return after;
}

}  // namespace holdfast
