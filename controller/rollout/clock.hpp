#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace holdfast {

/// Time and randomness as arguments, so that tests turn them by hand.
struct Clock {
  std::function<std::int64_t()> wall_ms{};  // since the epoch
  std::function<std::int64_t()> monotonic_ms{};
  std::function<void(std::int64_t)> sleep_ms{};  // returns early when the program is asked to stop
  std::function<std::string()> random_hex{};     // 8 hexadecimal digits
};

Clock system_clock();

}  // namespace holdfast
