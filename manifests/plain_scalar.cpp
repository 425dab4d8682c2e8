#include <manifests/plain_scalar.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace holdfast {

namespace {

constexpr std::string_view digits = "0123456789";

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return result;
}

std::string_view without_sign(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text;
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of(digits) == std::string_view::npos;
}

/// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_fraction(std::string_view text) {
  text = without_sign(text);
  const std::size_t power = text.find_first_of("eE");
  if (power != std::string_view::npos) {
    if (!all_digits(without_sign(text.substr(power + 1)))) return false;
    text = text.substr(0, power);
  }
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return power != std::string_view::npos && all_digits(text);
  const std::string_view before = text.substr(0, dot);
  const std::string_view after = text.substr(dot + 1);
  const bool good_before = before.empty() || all_digits(before);
  const bool good_after = after.empty() || all_digits(after);
  return good_before && good_after && !(before.empty() && after.empty());
}

/// 12:30 and 1:02:03 are numbers to base 60 for older programs.
bool is_base_sixty(std::string_view text) {
  text = without_sign(text);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !all_digits(text.substr(0, colon))) return false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(':'), text.size());
    if (!all_digits(text.substr(0, end))) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

bool is_other_base(std::string_view text) {
  text = without_sign(text);
  if (text.starts_with("0o")) return text.size() > 2 && text.find_first_not_of("01234567", 2) == std::string_view::npos;
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  return hexadecimal && text.size() > 2 &&
         text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
}

std::string quote(const std::string& text) { return "\"" + text + "\""; }

PlainScalar refuse(const std::string& text, const std::string& why, const std::string& hint) {
  return {Value(), quote(text) + " without quotes " + why, hint};
}

PlainScalar whole_number(const std::string& text) {
  const std::string_view bare = without_sign(text);
  if (bare.size() > 1 && bare.starts_with('0')) {
    return refuse(text, "is octal to some programs and decimal to others",
                  "write " + quote(text) + " for a mode or a text, or take the zeros away");
  }
  std::int64_t number = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto result = std::from_chars(begin, text.data() + text.size(), number);
  if (result.ec != std::errc()) {
    return refuse(text, "is out of range for an integer", "at most 9223372036854775807; quote it if it is a text");
  }
  return {number, "", ""};
}

PlainScalar fraction(const std::string& text) {
  const double number = std::strtod(text.c_str(), nullptr);
  if (!std::isfinite(number)) return refuse(text, "is out of range for a number", "quote it if it is a text");
  return {number, "", ""};
}

}  // namespace

PlainScalar type_plain_scalar(const std::string& text) {
  static constexpr std::array<std::string_view, 6> ambiguous = {"yes", "no", "on", "off", "y", "n"};
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return {true, "", ""};
  if (text == "false" || text == "False" || text == "FALSE") return {false, "", ""};
  const std::string low = lowered(text);
  if (std::find(ambiguous.begin(), ambiguous.end(), low) != ambiguous.end()) {
    const bool positive = low == "yes" || low == "on" || low == "y";
    return refuse(text, "is a boolean to some programs and a text to others",
                  "write " + quote(text) + " in quotes for a text, or " + (positive ? "true" : "false"));
  }
  if (low == ".nan" || lowered(without_sign(text)) == ".inf") {
    return refuse(text, "is not a finite number", "give a number, or quote it if it is a text");
  }
  if (all_digits(without_sign(text))) return whole_number(text);
  if (is_fraction(text)) return fraction(text);
  if (is_base_sixty(text))
    return refuse(text, "is a number to some programs and a text to others", "write " + quote(text));
  if (is_other_base(text))
    return refuse(text, "is not a decimal number", "write it in decimal digits, or quote it if it is a text");
  return {text, "", ""};
}

}  // namespace holdfast
