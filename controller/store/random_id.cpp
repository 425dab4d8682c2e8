#include <controller/store/random_id.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>

namespace holdfast {

namespace {

constexpr std::size_t digits_at_once = 8;

}  // namespace

std::string random_id(std::size_t digits) {
  std::random_device device;
  std::string id;
  while (id.size() < digits) {
    std::array<char, digits_at_once + 1> some{};
    std::snprintf(some.data(), some.size(), "%08x", static_cast<unsigned>(device()));
    id += some.data();
  }
  return id;
}

bool is_random_id(const std::string& text, std::size_t digits) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == digits && std::ranges::all_of(text, is_digit);
}

}  // namespace holdfast
