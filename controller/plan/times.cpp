#include <controller/plan/times.hpp>

#include <array>
#include <cstdio>
#include <ctime>

namespace holdfast {

namespace {
constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;
}  // namespace

std::string utc_text(std::int64_t ms) {
  if (ms == 0) return "never";
  const std::time_t seconds = ms / second;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &parts)};
}

std::string ago_text(std::int64_t ms, std::int64_t now_ms) {
  if (ms == 0) return "never";
  const std::int64_t age = now_ms - ms;
  if (age < 2 * second) return "just now";
  if (age < 2 * minute) return std::to_string(age / second) + " s ago";
  if (age < 2 * hour) return std::to_string(age / minute) + " min ago";
  if (age < 2 * day) return std::to_string(age / hour) + " h ago";
  return std::to_string(age / day) + " d ago";
}

std::string duration_text(std::int64_t ms) {
  std::array<char, 48> text{};
  if (ms < 100) {
    std::snprintf(text.data(), text.size(), "%lld ms", static_cast<long long>(ms));
  } else if (ms < 10 * second) {
    std::snprintf(text.data(), text.size(), "%.1f s", static_cast<double>(ms) / 1000.0);
  } else if (ms < 2 * minute) {
    std::snprintf(text.data(), text.size(), "%lld s", static_cast<long long>(ms / second));
  } else {
    std::snprintf(text.data(), text.size(), "%lld min %lld s", static_cast<long long>(ms / minute),
                  static_cast<long long>(ms % minute / second));
  }
  return text.data();
}

std::int64_t ms_of_utc(const std::string& text) {
  struct tm parts {};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return end == nullptr || *end != '\0' ? 0 : static_cast<std::int64_t>(::timegm(&parts)) * 1000;
}

}  // namespace holdfast
