#include <controller/audit/trail_query.hpp>

#include <ctime>
#include <regex>

namespace holdfast {

namespace {

constexpr std::size_t max_bytes = 40;

int number(const std::ssub_match& match) { return match.matched ? std::stoi(match.str()) : 0; }

/// "250" of ".250xyz": in milliseconds.
std::int64_t milliseconds(const std::string& digits) {
  return digits.empty() ? 0 : std::stoll((digits + "00").substr(0, 3));
}

}  // namespace

std::optional<std::int64_t> parse_time(const std::string& text) {
  static const std::regex form(
      R"((\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):(\d{2})))?)");
  std::smatch parts;
  if (text.size() > max_bytes || !std::regex_match(text, parts, form)) return std::nullopt;
  struct tm day {};
  day.tm_year = number(parts[1]) - 1900;
  day.tm_mon = number(parts[2]) - 1;
  day.tm_mday = number(parts[3]);
  const struct tm asked = day;
  const std::int64_t begin = ::timegm(&day);
  if (day.tm_mon != asked.tm_mon || day.tm_mday != asked.tm_mday) return std::nullopt;  // the 31st of June
  const int hours = number(parts[4]);
  const int minutes = number(parts[5]);
  const int seconds = number(parts[6]);
  const int off_hours = number(parts[10]);
  const int off_minutes = number(parts[11]);
  if (hours > 23 || minutes > 59 || seconds > 60 || off_hours > 23 || off_minutes > 59) return std::nullopt;
  const std::int64_t offset = (off_hours * 60 + off_minutes) * (parts[9] == "-" ? -60 : 60);
  return (begin + hours * 3600 + minutes * 60 + seconds - offset) * 1000 + milliseconds(parts[7]);
}

}  // namespace holdfast
